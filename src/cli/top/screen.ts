/** What a screen needs of a terminal. */
export interface ScreenOutput {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Another screen, so that what was there comes back; no cursor. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[?25h\x1b[?1049l';
/** Terminals that know it show a frame at once. */
const BEGIN_FRAME = '\x1b[?2026h';
const END_FRAME = '\x1b[?2026l';
/** Of a terminal that does not say. */
const COLUMNS = 80;
const ROWS = 24;

/** Lines on the whole terminal, of which only those are sent that have changed. */
export class Screen {
  readonly #output: ScreenOutput;
  #shown: readonly string[] = [];
  #entered = false;

  constructor(output: ScreenOutput) {
    this.#output = output;
  }

  get columns(): number {
    return this.#output.columns || COLUMNS;
  }

  get rows(): number {
    return this.#output.rows || ROWS;
  }

  enter(): void {
    if (this.#entered) return;
    this.#entered = true;
    this.#shown = [];
    this.#output.write(ENTER);
  }

  /** The terminal is as it was before. Does nothing when it is already. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    this.#output.write(LEAVE);
  }

  /** What was drawn is gone, as after a change of size: all of it is sent again. */
  clear(): void {
    this.#shown = [];
    if (this.#entered) this.#output.write('\x1b[2J');
  }

  /** From the top; lines are not to be wider than the screen, and those that do not fit are not shown. */
  draw(lines: readonly string[]): void {
    if (!this.#entered) return;
    const next = Array.from({ length: this.rows }, (_, row) => lines[row] ?? '');
    const changed = next.map((line, row) => (line === this.#shown[row] ? '' : `\x1b[${row + 1};1H${line}\x1b[K`));
    this.#shown = next;
    const text = changed.join('');
    if (text !== '') this.#output.write(BEGIN_FRAME + text + END_FRAME);
  }
}
