/** Where a message goes. The same for every message with the same exchange and routing key until a binding changes, where headers play no part. */
export interface Route<Target> {
  /** Each once, in no order that means anything. */
  readonly targets: readonly Target[];
  /** For whoever publishes along it, to keep what is dear to find again; undefined at first. */
  memo: unknown;
}
