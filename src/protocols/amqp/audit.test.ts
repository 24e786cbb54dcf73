import { expect, test } from 'vitest';
import { AUDITED_METHODS } from './audit.ts';
import { METHOD_NAMES } from './codec/fixture.contract.ts';

/** Of connections and channels, and of messages that come and go. Logins are recorded where passwords are looked at. */
const NO_ACTS = /^(connection|channel|access|basic|confirm|tx)\./;
const ANSWERS = /-ok$/;

test('every method is an administrative act, or is said to be none', () => {
  const others = METHOD_NAMES.filter((name) => !NO_ACTS.test(name) && !ANSWERS.test(name));
  expect(new Set(AUDITED_METHODS)).toEqual(new Set(others));
});
