import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIRECTORY } from './cache-directory.ts';
import type { Peer } from './peers/peer.ts';
import { describeProfile } from './profile.ts';
import { describeRatios, machine, type Reporting, ratios } from './report.ts';

/** Where `--profile` leaves what it finds. */
export const PROFILE_DIRECTORY = join(CACHE_DIRECTORY, 'profiles');

export interface RoundsOptions {
  readonly name: string;
  /** What everyone is to do; `--json` prints it. */
  readonly work: unknown;
  /** The broker first, then what it is compared with. */
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly data?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Runs one bench, in rounds, on the broker and on what it is compared with, and prints what came of it. */
export async function runRounds<Result>(
  { name, work, peers, rounds, data, json }: RoundsOptions,
  reporting: Reporting<Result>,
  bench: (peer: Peer, directory: string) => Promise<Result>,
): Promise<void> {
  const places = new Places(data);
  const results: Result[][] = peers.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, peer] of peers.entries()) {
      console.error(`${name}: ${peer.name}${rounds > 1 ? `, round ${round + 1} of ${rounds}` : ''}`);
      const result = await places.use((directory) => bench(peer, directory));
      results[index]?.push(result);
      if (!json) console.log(reporting.describe(result));
      if (peer.profileDirectory !== undefined) console.error(describeProfile(peer.profileDirectory));
    }
  }
  const [ours = [], ...others] = results.map((each) => each.map((result) => reporting.figures(result)));
  const compared = others.map((theirs, index) => ({
    broker: peers[0]?.name ?? '',
    against: peers[index + 1]?.name ?? '',
    ratios: ratios(ours, theirs),
  }));
  if (json)
    print({ machine: machine(), work, measurements: results.flat().map((each) => reporting.json(each)), compared });
  else for (const each of compared) console.log(`\n${describeRatios(each.broker, each.against, each.ratios)}`);
}

/** Where brokers keep their data while they are measured. */
export class Places {
  readonly #parent: string;

  constructor(parent: string = CACHE_DIRECTORY) {
    mkdirSync(parent, { recursive: true });
    this.#parent = parent;
  }

  /** A new directory that is removed afterwards, however that comes about. */
  async use<T>(body: (directory: string) => Promise<T>): Promise<T> {
    const directory = mkdtempSync(join(this.#parent, 'data-'));
    const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    process.once('exit', remove);
    try {
      return await body(directory);
    } finally {
      process.off('exit', remove);
      remove();
    }
  }
}

export function print(figures: unknown): void {
  console.log(JSON.stringify(figures, undefined, 2));
}
