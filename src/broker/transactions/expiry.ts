import type { Clock, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { Endings } from './endings.ts';
import type { LiveTransactions } from './live-transactions.ts';
import type { TransactionSettings } from './settings.ts';
import { fencedAbort } from './transaction.ts';

export interface ExpiryOptions {
  readonly clock: Clock;
  readonly settings: Pick<TransactionSettings, 'timeoutCheckMs' | 'expirationCheckMs' | 'idExpirationMs'>;
  readonly transactions: LiveTransactions;
  readonly endings: Endings;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** Aborts the transactions that take too long, and forgets the transactional ids that nobody uses. */
export class Expiry {
  readonly #options: ExpiryOptions;
  readonly #clock: Clock;
  readonly #transactions: LiveTransactions;
  #timeouts: Timer | undefined;
  #expiration: Timer | undefined;
  #closed = false;

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#transactions = options.transactions;
  }

  start(): void {
    this.watchTimeouts();
    this.#watchExpiration();
  }

  close(): void {
    this.#closed = true;
    this.#timeouts?.cancel();
    this.#expiration?.cancel();
  }

  /** To be called when a transaction has begun. */
  watchTimeouts(): void {
    if (this.#closed || this.#timeouts !== undefined || this.#transactions.open.size === 0) return;
    this.#timeouts = this.#clock.setTimer(this.#options.settings.timeoutCheckMs, () => {
      this.#timeouts = undefined;
      this.#abortTimedOut();
      this.watchTimeouts();
    });
  }

  #abortTimedOut(): void {
    const now = this.#clock.now();
    for (const transactionalId of [...this.#transactions.open]) {
      const transaction = this.#transactions.get(transactionalId);
      if (transaction?.state !== 'Ongoing' || transaction.startTime + transaction.timeoutMs >= now) continue;
      this.#options.endings
        .conclude(fencedAbort(transaction, now))
        .catch((error: unknown) =>
          this.#options.onTrouble(
            toBrokerError(error),
            `the transaction of '${transactionalId}' takes too long and could not be aborted; tried again`,
          ),
        );
    }
  }

  #watchExpiration(): void {
    if (this.#closed) return;
    this.#expiration = this.#clock.setTimer(this.#options.settings.expirationCheckMs, () => {
      const oldest = this.#clock.now() - this.#options.settings.idExpirationMs;
      for (const { transactionalId, updateTime } of [...this.#transactions.all()]) {
        if (updateTime > oldest || this.#transactions.open.has(transactionalId)) continue;
        this.#transactions
          .append({ type: 'expired', transactionalId }, { transactionalId, forget: true })
          .settled.catch(() => {});
      }
      this.#watchExpiration();
    });
  }
}
