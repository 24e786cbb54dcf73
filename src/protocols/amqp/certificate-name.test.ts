import { describe, expect, it } from 'vitest';
import { certificateName } from './certificate-name.ts';

/** Subjects of real certificates as node:crypto has them, and what RabbitMQ 3.10 makes of the same certificates. */
describe.each([
  [
    'C=DE\nO=Ä\\, Inc\nCN=anna ~\nemailAddress=a@b.c',
    'EMAILADDRESS=a@b.c,CN=anna \\7E,O=\\C3\\84\\, Inc,C=DE',
    'anna ~',
  ],
  ['O=x\nCN=a + UID=b\nCN=line\\0Atwo', 'CN=line\\0Atwo,CN=a+UID=b,O=x', 'a,line\ntwo'],
  ['CN=client', 'CN=client', 'client'],
])('the subject %j', (subject, distinguishedName, commonName) => {
  it("has RabbitMQ's distinguished name", () => {
    expect(certificateName(subject, 'distinguished-name')).toBe(distinguishedName);
  });

  it("has RabbitMQ's common name", () => {
    expect(certificateName(subject, 'common-name')).toBe(commonName);
  });
});

describe('a common name', () => {
  it('is as it was before it was written down', () => {
    expect(certificateName('CN=a\\, b \\+ c\\\\d\\C3\\84', 'common-name')).toBe('a, b + c\\dÄ');
  });

  it('is not one that stands in another value', () => {
    expect(certificateName('O=x \\+ CN=admin\nOU=CN=admin', 'common-name')).toBeUndefined();
  });
});

it('a subject without names is nobody', () => {
  expect(certificateName('', 'distinguished-name')).toBeUndefined();
  expect(certificateName('', 'common-name')).toBeUndefined();
});
