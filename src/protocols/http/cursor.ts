import { badRequest } from './errors.ts';

/** Where to go on in one partition. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

/** Longer ones would not fit a request. */
const MAX_LENGTH = 8192;

/** Positions as a text that goes into a path as it is: numbers in base 36, a partition and its offset each. */
export function encodeCursor(positions: readonly Position[]): string {
  return positions.map(({ partition, offset }) => `${partition.toString(36)}.${offset.toString(36)}`).join('-');
}

/** Throws 400 for what is no cursor. */
export function decodeCursor(text: string): Position[] {
  if (text.length > MAX_LENGTH || !/^[0-9a-z]+\.[0-9a-z]+(-[0-9a-z]+\.[0-9a-z]+)*$/.test(text))
    throw badRequest('this is not a cursor of this list');
  return text.split('-').map((part) => {
    const [partition, offset] = part.split('.').map((number) => Number.parseInt(number, 36));
    if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) throw badRequest('this is not a cursor');
    return { partition: partition ?? 0, offset: offset ?? 0 };
  });
}
