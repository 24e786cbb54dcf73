import type { BrokerError } from '../../src/errors.ts';
import type { CommitLog, Position } from '../../src/storage/commit-log.ts';

/** A writer that numbers its groups, and remembers what it was told of them. */
export class Witness {
  readonly name: string;
  readonly log: CommitLog;
  readonly ends: Position[] = [];
  failure: BrokerError | undefined;
  epoch = 0;
  /** Groups that were announced as durable: the first so many of those appended. */
  durable = 0;
  #wake: (() => void)[] = [];

  private constructor(name: string, log: CommitLog) {
    this.name = name;
    this.log = log;
  }

  static async open(name: string, log: CommitLog): Promise<Witness> {
    const witness = new Witness(name, log);
    await witness.#open();
    return witness;
  }

  /** Opens, and answers the groups that are there as well. */
  static async replay(name: string, log: CommitLog): Promise<{ witness: Witness; groups: string[] }> {
    const witness = new Witness(name, log);
    return { witness, groups: await witness.#open() };
  }

  append(padding = 0): Position {
    const group = Buffer.from(`${this.name}.${this.ends.length}${' '.repeat(padding)}`);
    const end = this.log.append([group], group.length);
    this.ends.push(end);
    return end;
  }

  /** Resolves when so many groups are durable, or the log was fenced. */
  async untilDurable(groups: number): Promise<void> {
    while (this.durable < groups && this.failure === undefined) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Appends so many groups, a bounded number ahead of what is durable; ends early when it is fenced. */
  async run(groups: number, ahead: number): Promise<void> {
    for (let i = 0; i < groups && this.failure === undefined; i++) {
      await this.untilDurable(this.ends.length - ahead);
      this.append();
    }
    await this.untilDurable(this.ends.length);
  }

  /** The groups that were announced as durable. */
  acknowledged(): string[] {
    return Array.from({ length: this.durable }, (_, i) => `${this.name}.${i}`);
  }

  async #open(): Promise<string[]> {
    const groups: string[] = [];
    this.epoch = await this.log.open({
      written: () => {},
      durable: (upTo) => {
        while ((this.ends[this.durable] ?? Number.POSITIVE_INFINITY) <= upTo) this.durable++;
        this.#woken();
      },
      failed: (error) => {
        this.failure = error;
        this.#woken();
      },
    });
    await this.log.replay(0, (group) => groups.push(group.toString().trimEnd()));
    return groups;
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
