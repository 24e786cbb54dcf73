import type { KeptMessage, Lane } from './lane.ts';

/** A message that left its queue in the turn that appends its dead letter. */
export interface Move {
  readonly lane: Lane;
  readonly offset: number;
  readonly bytes: number;
  /** How often it was delivered. */
  readonly count: number;
  /** When it had been copied out of the log. */
  readonly kept: KeptMessage | undefined;
}

/**
 * Messages that left a queue with a dead letter, until that is safe: when the append fails the letter is lost, and the message, which
 * was confirmed once, is there again.
 */
export class Moves {
  /** In the turn under way. */
  #current: Move[] = [];
  /** In turns whose append is under way. */
  readonly #appending = new Set<readonly Move[]>();
  /** Taken back, and out until somebody puts them back, unless they wait already. */
  #lost: { readonly move: Move; readonly waits: boolean }[] = [];

  add(move: Move): void {
    this.#current.push(move);
  }

  /** The turn is appended; `settled` is to be told when that is safe. Undefined when there is nothing to tell. */
  commit(): readonly Move[] | undefined {
    if (this.#current.length === 0) return undefined;
    const moves = this.#current;
    this.#current = [];
    this.#appending.add(moves);
    return moves;
  }

  settled(moves: readonly Move[]): void {
    this.#appending.delete(moves);
  }

  /** All that was not safe is lost. Calls back for each message that waits again at once. Answers whether there was any. */
  takeBack(onWaiting: (move: Move) => void): boolean {
    const moves = [...this.#appending].flat().toReversed();
    this.#appending.clear();
    for (const move of moves) {
      const waits = move.lane.undo(move.offset, move.kept);
      if (waits) onWaiting(move);
      this.#lost.push({ move, waits });
    }
    return moves.length > 0;
  }

  /** The batches of the lane from `nextOffset` on are gone. */
  rollBack(lane: Lane, nextOffset: number): void {
    this.#lost = this.#lost.filter(({ move }) => move.lane !== lane || move.offset < nextOffset);
  }

  /** Those that were taken back, once: to be put back, unless they wait. */
  takeLost(): readonly { readonly move: Move; readonly waits: boolean }[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }
}
