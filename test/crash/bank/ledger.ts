/** One half of a transfer, as it stands in a partition of the accounts. */
export interface Posting {
  readonly kind: 'posting';
  /** What is to happen once: a transfer that somebody decided upon, or a request that somebody carried out. */
  readonly transfer: string;
  /** The transaction that it was written in: `CLIENT/NUMBER`, the numbers of a client in the order of its transactions. */
  readonly attempt: string;
  readonly account: number;
  readonly amount: number;
}

/** A wish for a transfer, as it stands in a topic of requests. */
export interface Request {
  readonly kind: 'request';
  readonly request: string;
  readonly attempt: string;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
}

/** The last record of each partition: whoever has read it has read everything. */
export interface Closing {
  readonly kind: 'closing';
}

export type Entry = Posting | Request | Closing;

/** What clients know of their transactions. What is in neither set was on its way when the broker died. */
export class Outcomes {
  readonly committed = new Set<string>();
  readonly aborted = new Set<string>();

  committedByClient(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const attempt of this.committed) {
      const client = attempt.slice(0, attempt.indexOf('/'));
      counts.set(client, (counts.get(client) ?? 0) + 1);
    }
    return counts;
  }
}

interface Transfer {
  readonly attempt: string;
  readonly postings: Posting[];
}

/**
 * What one reader of committed records has seen of the bank. Throws as soon as that cannot be: half of an aborted transaction, a transfer twice, money that
 * came from nowhere, a record that has become another one. Reading something again is no offence.
 */
export class Ledger {
  readonly #outcomes: Outcomes;
  readonly #seen = new Map<string, string>();
  /** Of each client, the last transaction seen, by partition. */
  readonly #last = new Map<string, number>();
  readonly #transfers = new Map<string, Transfer>();
  readonly #halves = new Set<string>();
  readonly #requests = new Map<string, Request>();
  readonly #attempts = new Set<string>();
  readonly #closed = new Set<string>();
  #sum = 0;
  /** How often no transfer was seen by halves: then the sum of all accounts is what it was. */
  boundaries = 0;

  constructor(outcomes: Outcomes) {
    this.#outcomes = outcomes;
  }

  /** Transfers that were seen whole. */
  get transfers(): number {
    return this.#transfers.size - this.#halves.size;
  }

  /** Partitions of which all was read. */
  get closed(): number {
    return this.#closed.size;
  }

  read(partition: string, offset: number, value: string): void {
    const place = `${partition}@${offset}`;
    const before = this.#seen.get(place);
    if (before === value) return;
    if (before !== undefined) throw new Error(`${place} was ${before}, and is ${value} now`);
    this.#seen.set(place, value);
    const entry = JSON.parse(value) as Entry;
    if (entry.kind === 'closing') {
      this.#closed.add(partition);
      return;
    }
    this.#checkAttempt(entry.attempt, partition, place);
    if (entry.kind === 'posting') this.#post(entry, place);
    else if (this.#requests.has(entry.request)) throw new Error(`${place}: '${entry.request}' is there twice`);
    else this.#requests.set(entry.request, entry);
  }

  #checkAttempt(attempt: string, partition: string, place: string): void {
    if (this.#outcomes.aborted.has(attempt)) throw new Error(`${place}: '${attempt}' was aborted, and is seen`);
    this.#attempts.add(attempt);
    const [client = '', number = ''] = attempt.split('/');
    const key = `${client} ${partition}`;
    const last = this.#last.get(key) ?? 0;
    if (Number(number) < last) throw new Error(`${place}: '${attempt}' follows ${last}`);
    this.#last.set(key, Number(number));
  }

  #post(posting: Posting, place: string): void {
    const { transfer: name, attempt, amount } = posting;
    this.#sum += amount;
    const known = this.#transfers.get(name);
    if (known === undefined) {
      this.#transfers.set(name, { attempt, postings: [posting] });
      this.#halves.add(name);
      return;
    }
    const [first] = known.postings;
    if (known.postings.length !== 1 || known.attempt !== attempt)
      throw new Error(`${place}: '${name}' is there twice: in '${known.attempt}' and '${attempt}'`);
    if (first?.amount !== -amount || first.account === posting.account)
      throw new Error(`${place}: '${name}' moves ${first?.amount} and ${amount}`);
    known.postings.push(posting);
    this.#halves.delete(name);
    if (this.#halves.size > 0) return;
    this.boundaries++;
    if (this.#sum !== 0) throw new Error(`the accounts are off by ${this.#sum}`);
  }

  /** What is missing before this reader has seen each transaction as a whole; empty when nothing is. */
  missing(): string[] {
    const { committed } = this.#outcomes;
    return [
      ...Array.from(this.#halves, (name) => `the other half of '${name}'`),
      ...[...committed].filter((attempt) => !this.#attempts.has(attempt)).map((attempt) => `all of '${attempt}'`),
      ...[...this.#requests.keys()].filter((name) => !this.#transfers.has(name)).map((name) => `what '${name}' asks`),
    ];
  }

  /** To be called when everything was read. Throws when that was not all, or more than there should be. */
  finish(): void {
    const missing = this.missing();
    if (missing.length > 0) throw new Error(`${missing.length} are missing: ${missing.slice(0, 10).join(', ')}`);
    for (const attempt of this.#attempts)
      if (this.#outcomes.aborted.has(attempt)) throw new Error(`'${attempt}' was aborted, and is seen`);
    for (const [name, { postings }] of this.#transfers) {
      const [one, other] = postings.map(({ account }) => account);
      const request = this.#requests.get(name);
      if (request === undefined && name.startsWith('request ')) throw new Error(`nobody has asked for '${name}'`);
      if (request !== undefined && !([one, other].includes(request.from) && [one, other].includes(request.to)))
        throw new Error(`'${name}' moves between ${one} and ${other}, not ${request.from} and ${request.to}`);
    }
  }

  /** Everything that was read, to be compared with what another reader has. */
  get records(): ReadonlyMap<string, string> {
    return this.#seen;
  }
}
