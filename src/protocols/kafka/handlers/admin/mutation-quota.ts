import { KafkaError } from '../../codec/error-codes.ts';
import type { RequestContext } from '../../handler.ts';
import { Refusal } from './refusal.ts';

/**
 * How many partitions a client may make and delete (KIP-599). Versions of requests that know of it are refused what goes beyond; with
 * older ones all is done, and the client waits afterwards.
 */
export class MutationQuota {
  readonly #context: RequestContext;
  readonly #strict: boolean;
  #throttleMs = 0;

  constructor(context: RequestContext, { strictFrom }: { readonly strictFrom: number }) {
    this.#context = context;
    this.#strict = context.version >= strictFrom;
  }

  /** How long the client is to wait. */
  get throttleMs(): number {
    return this.#throttleMs;
  }

  /** Counts partitions that are about to be made or deleted, or throws a `Refusal`: when what came before was too much, however few they are. */
  take(partitions: number): void {
    const waitMs = this.#strict ? this.#record(0) : 0;
    if (waitMs > 0) {
      this.#throttleMs = waitMs;
      throw new Refusal(KafkaError.THROTTLING_QUOTA_EXCEEDED, 'The throttling quota has been exceeded.');
    }
    const afterwards = this.#record(partitions);
    if (!this.#strict) this.#throttleMs = afterwards;
  }

  #record(partitions: number): number {
    const { broker, authentication, clientId } = this.#context;
    return broker.quotas.record('controller_mutation_rate', authentication.name, clientId ?? '', partitions);
  }
}
