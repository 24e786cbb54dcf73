import { expect, it } from 'vitest';
import { distinguishedName } from './certificate-principal.ts';

it.each([
  ['C=DE\nO=Shop\\, Inc\nCN=anna', 'CN=anna,O=Shop\\, Inc,C=DE'],
  ['CN=anna + UID=7', 'CN=anna+UID=7'],
  ['street=Main\nCN=a \\+ b', 'CN=a \\+ b,STREET=Main'],
  ['', undefined],
])('of the subject %j is %j', (subject, name) => {
  expect(distinguishedName(subject)).toBe(name);
});
