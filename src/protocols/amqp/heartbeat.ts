import type { Clock, Timer } from '../../environment/environment.ts';

export interface HeartbeatPeer {
  /** Nothing was written for half an interval: the peer has to hear something. */
  beat(): void;
  /** Nothing has come for two intervals. */
  lost(): void;
}

/** Ticks without a byte from the peer after which it is lost: two intervals of two ticks. */
const SILENT_TICKS = 4;

/** Heartbeats of one connection, both ways (section 4.2.7 of the specification). Whoever reads and writes says so; a timer does the rest. */
export class Heartbeat {
  /** Something has come since the last tick. */
  heard = true;
  /** Something was written since the last tick. */
  spoke = false;
  /** Nothing is read at present, so that nothing can come. */
  deaf = false;

  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #peer: HeartbeatPeer;
  #silentTicks = 0;
  /** The first beat comes at the first tick, whatever was written before: the peer may have begun to listen after that. */
  #begun = false;
  #timer: Timer | undefined;

  constructor(clock: Clock, intervalMs: number, peer: HeartbeatPeer) {
    this.#clock = clock;
    this.#tickMs = intervalMs / 2;
    this.#peer = peer;
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#tickMs, () => {
      this.#arm();
      this.#tick();
    });
  }

  #tick(): void {
    if (!this.spoke || !this.#begun) this.#peer.beat();
    this.#begun = true;
    this.spoke = false;
    this.#silentTicks = this.heard || this.deaf ? 0 : this.#silentTicks + 1;
    this.heard = false;
    if (this.#silentTicks < SILENT_TICKS) return;
    this.stop();
    this.#peer.lost();
  }
}
