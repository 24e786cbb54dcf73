import { BrokerError } from '../../errors.ts';
import { type Acknowledgement, GAP, RENEW } from './acquisition.ts';

/** Throws `invalid-argument` for types that there are not, for ranges that are empty, and for those that are not one after the other. */
export function checkAcknowledgements(acknowledgements: readonly Acknowledgement[]): void {
  let next = 0;
  for (const { firstOffset, lastOffset, types } of acknowledgements) {
    if (firstOffset < next || lastOffset < firstOffset)
      throw new BrokerError('invalid-argument', `offsets ${firstOffset} to ${lastOffset} cannot be acknowledged here`);
    next = lastOffset + 1;
    if (types.length !== 1 && types.length !== next - firstOffset)
      throw new BrokerError(
        'invalid-argument',
        `${types.length} types of acknowledgement for ${next - firstOffset} records: one for all is wanted, or one for each`,
      );
    const unknown = types.find((type) => !(type >= GAP && type <= RENEW));
    if (unknown !== undefined)
      throw new BrokerError('invalid-argument', `there is no acknowledgement of type ${unknown}`);
  }
}

/** The same as runs of offsets, from the first to the last (inclusive), of one type each. */
export function* runsOf(
  acknowledgements: readonly Acknowledgement[],
): Generator<readonly [type: number, firstOffset: number, lastOffset: number], void, undefined> {
  for (const { firstOffset, lastOffset, types } of acknowledgements) {
    const [first = GAP] = types;
    if (types.length === 1) {
      yield [first, firstOffset, lastOffset];
      continue;
    }
    for (let from = 0; from < types.length; ) {
      let to = from + 1;
      while (types[to] === types[from]) to++;
      yield [types[from] ?? GAP, firstOffset + from, firstOffset + to - 1];
      from = to;
    }
  }
}
