import type { Peer } from '../peers/peer.ts';
import { median, memoryText, msText } from '../report.ts';
import { idleBytes } from '../stage.ts';
import { Session } from './session.ts';
import type { Work } from './work.ts';

export interface StartPlan {
  /** How often the broker is started. */
  readonly starts: number;
  /** How long it is left alone before its memory counts as idle. */
  readonly idleSeconds: number;
}

export interface Started {
  readonly bench: string;
  readonly broker: string;
  /** Milliseconds from the process's start until it was ready, of each start. */
  readonly readyMs: readonly number[];
  /** Largest over the starts. */
  readonly idleBytes: number | undefined;
}

/** Starts on empty data. */
export async function startEmpty(
  peer: Peer,
  directory: (round: number) => string,
  { starts, idleSeconds }: StartPlan,
): Promise<Started> {
  const readyMs: number[] = [];
  let idle: number | undefined;
  for (let round = 0; round < starts; round++) {
    const broker = await peer.start(directory(round));
    readyMs.push(broker.readyMs);
    idle = largest(idle, await idleBytes(broker, idleSeconds));
    await broker.stop();
  }
  return { bench: 'start', broker: peer.name, readyMs, idleBytes: idle };
}

/** Starts on what the broker has written itself, after it was stopped or, with SIGKILL, killed. All of it must be there. */
export function startWithData(
  peer: Peer,
  directory: string,
  work: Work,
  { starts, idleSeconds, signal }: StartPlan & { readonly signal: 'SIGTERM' | 'SIGKILL' },
): Promise<Started> {
  return Session.use(peer, directory, work, async (session) => {
    session.run.mustBeDurable();
    const batches = await session.fill(work.totalBytes);
    const readyMs: number[] = [];
    let idle: number | undefined;
    for (let round = 0; round < starts; round++) {
      await session.run.restart(signal);
      readyMs.push(session.run.broker.readyMs);
      await session.expectOffsets(
        new Map(session.templates.map(({ partition, records }) => [partition, batches * records])),
      );
      idle = largest(idle, await idleBytes(session.run.broker, idleSeconds));
    }
    const how = signal === 'SIGKILL' ? ' --kill' : '';
    return { bench: `start --data-gb ${work.totalBytes / 1e9}${how}`, broker: peer.name, readyMs, idleBytes: idle };
  });
}

function largest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

export function describeStart({ bench, broker, readyMs, idleBytes }: Started): string {
  return [
    `${bench}: ${broker}`,
    `  ready after  ${msText(median(readyMs))} (median of ${readyMs.length}; ${msText(Math.min(...readyMs))} to ${msText(Math.max(...readyMs))})`,
    `  idle memory  ${memoryText(idleBytes)}`,
  ].join('\n');
}
