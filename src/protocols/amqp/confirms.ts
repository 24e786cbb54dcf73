import type { Turn, TurnWaiter } from '../../broker/index.ts';
import type { BrokerError } from '../../errors.ts';

/** Where answers go: `basic.ack` and `basic.nack` with the number of a publish, counted from 1 on its channel. */
export interface ConfirmOutput {
  confirm(number: number, multiple: boolean): void;
  nack(number: number, multiple: boolean): void;
}

/** What was published in one turn, by number. */
interface Group {
  readonly turn: Turn;
  readonly first: number;
  last: number;
  /** Those that a queue did not take; ascending. */
  refused: number[];
  state: 'open' | 'safe' | 'failed';
}

/**
 * Publisher confirms of one channel. What was published in one turn is answered at once, and only after all that was published
 * before it, so that one `basic.ack` with `multiple` answers for a whole turn.
 */
export class Confirms implements TurnWaiter {
  readonly #output: ConfirmOutput;
  readonly #onSafe: (count: number, turn: Turn | undefined) => void;
  /** Oldest first, one for each turn that is not settled. */
  #groups: Group[] = [];
  #last = 0;
  #closed = false;

  /** `onSafe` is told how many of what was published in a turn are safe; without a turn where there was nothing to wait for. */
  constructor(output: ConfirmOutput, onSafe: (count: number, turn: Turn | undefined) => void = () => {}) {
    this.#output = output;
    this.#onSafe = onSafe;
  }

  /** Publishes that are not answered yet. */
  get pending(): number {
    const [oldest] = this.#groups;
    return oldest === undefined ? 0 : this.#last - oldest.first + 1;
  }

  /** One more message was published in the turn. */
  published(turn: Turn, refused: boolean): void {
    const number = ++this.#last;
    let group = this.#groups[this.#groups.length - 1];
    if (group?.turn !== turn) {
      group = { turn, first: number, last: number, refused: [], state: 'open' };
      this.#groups.push(group);
      turn.wait(this);
    }
    group.last = number;
    if (refused) group.refused.push(number);
  }

  /** One more message was published, to no queue: there is nothing to wait for but what was published before it. */
  publishedNowhere(turn: Turn): void {
    if (this.#groups.length > 0) this.published(turn, false);
    else {
      this.#output.confirm(++this.#last, false);
      this.#onSafe(1, undefined);
    }
  }

  turnSettled(turn: Turn, error: BrokerError | undefined): void {
    if (this.#closed) return;
    const group = this.#groups.find((each) => each.turn === turn);
    if (group === undefined) return;
    group.state = error === undefined ? 'safe' : 'failed';
    if (error === undefined) this.#onSafe(group.last - group.first + 1 - group.refused.length, turn);
    this.#answer();
  }

  /** The channel is gone: nobody is to be told. */
  close(): void {
    this.#closed = true;
    this.#groups = [];
  }

  #answer(): void {
    let settled = 0;
    /** Everything before is answered, or confirmed with the next `multiple`. */
    let from = this.#groups[0]?.first ?? 0;
    let upTo = 0;
    const confirm = () => {
      if (upTo >= from) this.#output.confirm(upTo, upTo > from);
      from = upTo + 1;
    };
    for (const group of this.#groups) {
      if (group.state === 'open') break;
      settled++;
      if (group.state === 'failed') {
        confirm();
        this.#output.nack(group.last, group.last > group.first);
        upTo = group.last;
        from = upTo + 1;
        continue;
      }
      for (const refused of group.refused) {
        upTo = refused - 1;
        confirm();
        this.#output.nack(refused, false);
        from = refused + 1;
      }
      upTo = group.last;
    }
    if (settled === 0) return;
    confirm();
    this.#groups.splice(0, settled);
  }
}
