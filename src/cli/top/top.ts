import { type Command, InvalidArgumentError, Option } from 'commander';
import { realEnvironment } from '../../environment/real.ts';
import { BrokerError } from '../../errors.ts';
import { type ApiClient, type ApiOptions, api, withApi } from '../api/index.ts';
import { print } from '../output.ts';
import { pause } from '../pause.ts';
import { UsageError } from '../usage-error.ts';
import { frame, rowsThatFit } from './frame.ts';
import { keysIn } from './keys.ts';
import { type Sample, Sampler } from './sample.ts';
import { Screen } from './screen.ts';
import { initialState, press, type TopState } from './state.ts';
import { VIEWS } from './views.ts';

const MIN_INTERVAL_MS = 100;
/** Lines of what is printed once. */
const ONCE = { columns: 160, rows: 60 };

export function register(program: Command): void {
  api(program.command('top'))
    .description('watch queues, streams, groups and connections as they change')
    .addOption(
      new Option('--view <name>', 'what to show first').choices(VIEWS.map(({ name }) => name)).default('queues'),
    )
    .option('--interval <seconds>', 'how often to ask', seconds, 2)
    .option('--filter <part>', 'only what has this in its name', '')
    .option('--once', 'print it once, and end')
    .addHelpText(
      'after',
      `
Examples:
  sluice top
  sluice top --view groups --interval 0.5
  sluice top --once --filter orders          for a script

? shows the keys. Growth is between two polls; rates are those that the broker counts, where it does.
`,
    )
    .action(top);
}

function seconds(text: string): number {
  const number = Number(text);
  if (number * 1000 >= MIN_INTERVAL_MS && number <= 3600) return number;
  throw new InvalidArgumentError('Seconds are wanted, from 0.1 to 3600.');
}

interface TopOptions extends ApiOptions {
  readonly view: string;
  readonly interval: number;
  readonly filter: string;
  readonly once?: true;
}

async function top(options: TopOptions): Promise<void> {
  if (!options.once && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UsageError('top wants a terminal; give --once to print it one time');
  const state = initialState({
    view: VIEWS.findIndex(({ name }) => name === options.view),
    filter: options.filter,
    intervalMs: options.interval * 1000,
  });
  await withApi(options, (client) => (options.once ? once(client, state) : new Session(client, state).run()));
}

async function once(client: ApiClient, state: TopState): Promise<void> {
  const { clock } = realEnvironment();
  const lines = frame(state, await new Sampler(client, () => clock.monotonic()).take(state), ONCE).slice(0, -1);
  while (lines.at(-1) === '') lines.pop();
  for (const line of lines) await print(line.trimEnd());
}

/** As long as somebody watches. */
class Session {
  readonly #sampler: Sampler;
  readonly #screen = new Screen(process.stdout);
  #state: TopState;
  #sample: Sample | undefined;
  /** Why the last poll failed. */
  #trouble: string | undefined;
  #ended = false;
  /** Something else is to be shown, whether it stands still or not. */
  #asks = false;
  /** Ends the wait for the next poll. */
  #wake = new AbortController();

  constructor(client: ApiClient, state: TopState) {
    const { clock } = realEnvironment();
    this.#sampler = new Sampler(client, () => clock.monotonic());
    this.#state = state;
  }

  async run(): Promise<void> {
    // What is wrong from the beginning is told where it can be read.
    this.#sample = await this.#sampler.take(this.#state);
    const end = () => this.#end();
    const leave = () => this.#leave();
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    // Whatever happens, the terminal is as it was.
    process.on('exit', leave);
    for (const signal of signals) process.on(signal, end);
    process.on('SIGCONT', () => this.#enter());
    process.stdout.on('resize', () => this.#resized());
    process.stdin.on('end', end);
    process.stdin.setEncoding('utf8').on('data', (text: string) => this.#typed(text));
    this.#enter();
    try {
      await this.#poll();
    } finally {
      leave();
      process.stdin.pause();
    }
  }

  async #poll(): Promise<void> {
    while (!this.#ended) {
      await pause(this.#state.intervalMs, this.#wake.signal);
      this.#wake = new AbortController();
      if (this.#ended || (this.#state.paused && !this.#asks)) continue;
      this.#asks = false;
      const asked = this.#state;
      try {
        const sample = await this.#sampler.take(asked);
        // What was asked for before somebody pressed a key is not what is to be shown now.
        if (asked.view !== this.#state.view) continue;
        this.#sample = sample;
        this.#trouble = undefined;
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        this.#trouble = error.message;
      }
      this.#draw();
    }
  }

  #typed(text: string): void {
    for (const key of keysIn(text)) {
      if (key === 'ctrl-z') this.#suspend();
      else if (key === 'ctrl-l') this.#screen.clear();
      else this.#press(key);
    }
    this.#draw();
  }

  #press(key: string): void {
    const before = this.#state;
    const next = press(before, key, rowsThatFit(this.#screen));
    if (next === undefined) {
      this.#end();
      return;
    }
    const first = this.#sample === undefined ? 0 : Math.max(0, this.#sample.rows.length - rowsThatFit(this.#screen));
    this.#state = { ...next, offset: Math.min(next.offset, first) };
    if (next.view !== before.view && this.#sample !== undefined)
      this.#sample = { ...this.#sample, rows: [], total: 0, missing: undefined };
    this.#asks ||= next.view !== before.view || next.sort !== before.sort || next.filter !== before.filter;
    if (this.#asks || next.paused !== before.paused || next.intervalMs !== before.intervalMs) this.#wake.abort();
  }

  #end(): void {
    this.#ended = true;
    this.#wake.abort();
  }

  #enter(): void {
    if (this.#ended) return;
    process.stdin.setRawMode(true);
    this.#screen.enter();
    this.#draw();
  }

  #leave(): void {
    this.#screen.leave();
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
  }

  /** Ctrl-Z: to the shell, until it goes on. */
  #suspend(): void {
    this.#leave();
    process.kill(0, 'SIGTSTP');
    // Where there is no shell to go to, nothing has happened.
    setImmediate(() => this.#enter());
  }

  #resized(): void {
    this.#screen.clear();
    this.#draw();
  }

  #draw(): void {
    if (this.#sample !== undefined) this.#screen.draw(frame(this.#state, this.#sample, this.#screen, this.#trouble));
  }
}
