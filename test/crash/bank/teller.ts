import type { SeededRandom } from '../../../src/environment/seeded-random.ts';
import { ACCOUNTS, placeOf, type RequestTopic } from './accounts.ts';
import type { ClientFactory, Message, TransactionalClient } from './clients.ts';
import type { Entry, Outcomes } from './ledger.ts';

const RECONNECT_MS = 20;
const MAX_AMOUNT = 1000;

/** Moves money in transactions over several partitions, or asks others to do so; aborts some of them; goes on whatever happens to the broker. */
export class Teller {
  readonly #name: string;
  readonly #number: number;
  readonly #connect: ClientFactory;
  readonly #random: SeededRandom;
  readonly #address: string;
  readonly #outcomes: Outcomes;
  readonly #asks: readonly RequestTopic[];
  #count = 0;
  #stopping = false;
  /** What went wrong, and how often: for who wants to know why nothing goes on. */
  readonly troubles = new Map<string, number>();

  /** Asks for transfers in these topics, at least one, in the partition that its number says. */
  constructor(
    {
      name,
      number,
      connect,
      address,
    }: { readonly name: string; readonly number: number; readonly connect: ClientFactory; readonly address: string },
    asks: readonly RequestTopic[],
    random: SeededRandom,
    outcomes: Outcomes,
  ) {
    this.#name = name;
    this.#number = number;
    this.#connect = connect;
    this.#address = address;
    this.#asks = asks;
    this.#random = random;
    this.#outcomes = outcomes;
  }

  stop(): void {
    this.#stopping = true;
  }

  /** Until `stop` is called. Ends with nothing open. */
  async run(): Promise<void> {
    for (let done = false; !done; ) {
      let client: TransactionalClient | undefined;
      try {
        client = await this.#connect(this.#address, this.#name);
        // The first of each life always: it aborts what the one before left open.
        do await this.#transaction(client);
        while (!this.#stopping);
        done = true;
      } catch (error) {
        const what = String(error instanceof Error ? error.message : error).slice(0, 200);
        this.troubles.set(what, (this.troubles.get(what) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
      // A client whose broker has gone may have trouble in going itself.
      await client?.close().catch(() => {});
    }
  }

  async #transaction(client: TransactionalClient): Promise<void> {
    const random = this.#random;
    await client.begin();
    const attempt = `${this.#name}/${++this.#count}`;
    const commits = random.chance(0.8);
    // It is asked to be committed when all of it was acknowledged, and not before.
    this.#outcomes.aborted.add(attempt);
    const entries = Array.from({ length: 1 + random.below(3) }, (_, i) => this.#entries(`${attempt}.${i}`, attempt));
    if (random.chance(0.5)) await client.send(entries.flat());
    else for (const messages of entries) await client.send(messages);
    if (!commits) return await client.abort();
    this.#outcomes.aborted.delete(attempt);
    await client.commit();
    this.#outcomes.committed.add(attempt);
  }

  #entries(name: string, attempt: string): Message[] {
    const random = this.#random;
    const amount = 1 + random.below(MAX_AMOUNT);
    const from = random.below(ACCOUNTS);
    const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
    if (random.chance(0.3)) {
      const request: Entry = { kind: 'request', request: `request ${name}`, attempt, from, to, amount };
      const { topic, partitions } = this.#asks[random.below(this.#asks.length)] as RequestTopic; // There is one.
      return [{ topic, partition: this.#number % partitions, value: JSON.stringify(request) }];
    }
    return [
      [from, -amount],
      [to, amount],
    ].map(([account = 0, amount = 0]) => {
      const posting: Entry = { kind: 'posting', transfer: `transfer ${name}`, attempt, account, amount };
      return { ...placeOf(account), value: JSON.stringify(posting) };
    });
  }
}
