import type { TraceStart } from '../../broker/index.ts';

/*
 * Names of traces: `m-NUMBER` of a message that was recorded when it was published, its number in base 36; `p-LOG-LANE-OFFSET` of one that is known
 * by where it lies: the UUID of the place's log, and two numbers in base 36.
 */

const PUBLISHED = /^m-([0-9a-z]{1,11})$/;
const PLACED = /^p-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([0-9a-z]{1,3})-([0-9a-z]{1,11})$/;

export function publishedId(trace: number): string {
  return `m-${trace.toString(36)}`;
}

export function placedId(placeId: string, lane: number, offset: number): string {
  return `p-${placeId}-${lane.toString(36)}-${offset.toString(36)}`;
}

/** Undefined for what names no trace. */
export function traceStart(id: string): TraceStart | undefined {
  const published = PUBLISHED.exec(id);
  if (published !== null) return whole({ trace: Number.parseInt(published[1] ?? '', 36) });
  const placed = PLACED.exec(id);
  if (placed === null) return undefined;
  const [, placeId = '', lane = '', offset = ''] = placed;
  return whole({ placeId, lane: Number.parseInt(lane, 36), offset: Number.parseInt(offset, 36) });
}

function whole<Start extends TraceStart>(start: Start): Start | undefined {
  return Object.values(start).every((value) => typeof value === 'string' || Number.isSafeInteger(value))
    ? start
    : undefined;
}
