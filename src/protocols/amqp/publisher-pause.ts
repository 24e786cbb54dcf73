import type { Broker } from '../../broker/index.ts';
import type { Timer } from '../../environment/environment.ts';

/** A full disk tells nobody when there is space again. */
const LOOK_AGAIN_MS = 1000;
/** Storage that falls behind for a moment is no news: clients are told when it lasts. */
const TELL_AFTER_MS = 500;

export interface PausedPublisher {
  /** It can be read from again. */
  resumed(): void;
  /** For `connection.blocked`: it has been waiting for so long that its client should know why. */
  blocked(reason: string): void;
  /** For `connection.unblocked`, after `blocked`. */
  unblocked(): void;
}

/** Holds a connection that publishes back while the broker cannot take messages. */
export class PublisherPause {
  readonly #broker: Broker;
  readonly #publisher: PausedPublisher;
  readonly #look = () => this.#check();
  #paused = false;
  #told = false;
  #waiting = false;
  #tell: Timer | undefined;
  #lookAgain: Timer | undefined;

  constructor(broker: Broker, publisher: PausedPublisher) {
    this.#broker = broker;
    this.#publisher = publisher;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Something was published. Answers whether the connection is to be held back. */
  published(): boolean {
    const reason = this.#paused ? undefined : this.#reason();
    if (reason === undefined) return this.#paused;
    this.#paused = true;
    this.#tell = this.#broker.environment.clock.setTimer(TELL_AFTER_MS, () => {
      this.#told = true;
      this.#publisher.blocked(reason);
    });
    this.#wait();
    return true;
  }

  stop(): void {
    this.#tell?.cancel();
    this.#lookAgain?.cancel();
    this.#paused = false;
  }

  /** In RabbitMQ's words, which clients show to people. */
  #reason(): string | undefined {
    if (this.#broker.shards.some(({ full }) => full)) return 'low on disk';
    return this.#broker.turns.overloaded ? 'low on memory' : undefined;
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    if (this.#broker.turns.overloaded) this.#broker.turns.onDrained(this.#look);
    else this.#lookAgain = this.#broker.environment.clock.setTimer(LOOK_AGAIN_MS, this.#look);
  }

  #check(): void {
    this.#waiting = false;
    if (!this.#paused) return;
    if (this.#reason() !== undefined) {
      this.#wait();
      return;
    }
    this.stop();
    if (this.#told) this.#publisher.unblocked();
    this.#told = false;
    this.#publisher.resumed();
  }
}
