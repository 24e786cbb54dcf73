import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A terminal of Python's: types what standard input says in hexadecimal, or changes its size (`r COLUMNS ROWS`). */
const PTY = `
import fcntl, os, pty, select, struct, sys, termios
columns, rows, *command = sys.argv[1:]
def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', int(rows), int(columns), 0, 0))
pid, fd = pty.fork()
if pid == 0:
    resize(0, columns, rows)
    os.execvp(command[0], command)
before = termios.tcgetattr(fd)
inputs = [0, fd]
rest = b''
while True:
    ready, _, _ = select.select(inputs, [], [])
    if fd in ready:
        try:
            output = os.read(fd, 65536)
        except OSError:
            output = b''
        if not output: break
        os.write(1, output)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data: inputs = [fd]
        *lines, rest = (rest + data).split(b'\\n')
        for line in lines:
            if line.startswith(b'r '): resize(fd, *line.split()[1:])
            else: os.write(fd, bytes.fromhex(line.decode()))
_, status = os.waitpid(pid, 0)
same = termios.tcgetattr(fd)[:4] == before[:4]
sys.stderr.write('modes ' + ('same' if same else 'changed'))
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** What Node's colours depend upon besides the terminal: a test is the same where there is no terminal, and in CI. */
const COLOURS: ReadonlySet<string> = new Set(['CI', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'NO_COLOR', 'TERM']);

/** Whether there is what a terminal is made of here. */
export const hasTerminals = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program on a terminal of its own, and what the terminal shows. The end of the test ends it. */
export class Terminal {
  /** All that the program has written. */
  output = '';
  readonly finished: Promise<{ readonly code: number | null; readonly sameModes: boolean }>;
  readonly #child: ChildProcess;
  readonly #shown: ShownScreen;
  #stderr = '';

  constructor(command: readonly string[], { columns = 80, rows = 24, env = {} }: TerminalOptions = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_') && !COLOURS.has(name));
    this.#shown = new ShownScreen(columns, rows);
    this.#child = spawn('python3', ['-c', PTY, String(columns), String(rows), ...command], {
      env: { ...Object.fromEntries(inherited), TERM: 'xterm-256color', ...env },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.#shown.write(text);
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.finished = once(this.#child, 'close').then(([code]) => ({ code, sameModes: this.#stderr === 'modes same' }));
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.finished;
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(`${Buffer.from(text).toString('hex')}\n`);
  }

  resize(columns: number, rows: number): void {
    this.#shown.resize(columns, rows);
    this.#child.stdin?.write(`r ${columns} ${rows}\n`);
  }

  /** The lines on the screen. */
  get lines(): readonly string[] {
    return this.#shown.lines;
  }

  /** Waits until the screen shows it; throws when the program ends before. */
  async shows(pattern: RegExp): Promise<void> {
    await this.until(() => pattern.test(this.lines.join('\n')), `the screen shows ${pattern}`);
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) {
      const ended = await Promise.race([
        once(this.#child.stdout as NonNullable<ChildProcess['stdout']>, 'data'),
        this.finished,
      ]);
      if ('code' in ended && !holds())
        throw new Error(`it ended with ${ended.code} before ${what}:\n${this.output}\n${this.#stderr}`);
    }
  }
}

/** What a terminal makes of the sequences that are used here. */
class ShownScreen {
  #columns: number;
  #rows: number;
  #lines: string[];
  #row = 0;
  #column = 0;
  #rest = '';

  constructor(columns: number, rows: number) {
    [this.#columns, this.#rows] = [columns, rows];
    this.#lines = Array.from({ length: rows }, () => '');
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  resize(columns: number, rows: number): void {
    [this.#columns, this.#rows] = [columns, rows];
    this.#lines = Array.from({ length: rows }, (_, row) => (this.#lines[row] ?? '').slice(0, columns));
  }

  write(text: string): void {
    const all = this.#rest + text;
    // Without a sequence that has not ended.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are steered by them.
    const end = all.search(/\x1b(\[[0-9;?]*)?$/);
    const whole = end < 0 ? all : all.slice(0, end);
    this.#rest = all.slice(whole.length);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are steered by them.
    for (const part of whole.match(/\x1b\[[0-9;?]*[A-Za-z]|./gsu) ?? []) this.#put(part);
  }

  #put(part: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are steered by them.
    const [, numbers = '', command] = /^\x1b\[([0-9;?]*)([A-Za-z])$/.exec(part) ?? [];
    if (command === 'H')
      [this.#row, this.#column] =
        numbers === '' ? [0, 0] : (numbers.split(';').map((n) => Number(n) - 1) as [number, number]);
    else if (command === 'K') this.#set(this.#line.slice(0, this.#column));
    else if (command === 'J' && numbers === '') {
      this.#set(this.#line.slice(0, this.#column));
      this.#lines.fill('', this.#row + 1);
    } else if (command === 'J' || numbers.startsWith('?1049')) this.#lines.fill('');
    else if (command !== undefined) return;
    else if (part === '\n') this.#row = Math.min(this.#row + 1, this.#rows - 1);
    else if (part === '\r') this.#column = 0;
    else if (part === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (part === '\x07') return;
    else this.#character(part);
  }

  #character(character: string): void {
    const line = this.#line.padEnd(this.#column);
    this.#set((line.slice(0, this.#column) + character + line.slice(this.#column + 1)).slice(0, this.#columns));
    this.#column++;
  }

  get #line(): string {
    return this.#lines[this.#row] ?? '';
  }

  #set(line: string): void {
    if (this.#row < this.#rows) this.#lines[this.#row] = line;
  }
}
