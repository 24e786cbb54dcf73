import { describe, expect, test } from 'vitest';
import { PrincipalRules } from './principal-rules.ts';

const ANNA = 'CN=Anna.Smith,OU=Sales,O=Shop\\, Inc,C=DE';

describe('the name of a principal', () => {
  test.each<[rules: string, distinguishedName: string, name: string | undefined]>([
    ['DEFAULT', ANNA, ANNA],
    ['RULE:^CN=([^,]+).*$/$1/', ANNA, 'Anna.Smith'],
    ['RULE:^CN=([^,]+).*$/$1/L', ANNA, 'anna.smith'],
    ['RULE:^CN=([^,]+),OU=([^,]+),.*$/$1@$2/U', ANNA, 'ANNA.SMITH@SALES'],
    ['RULE:^CN=(.*?),OU=Admin.*$/$1/,RULE:^CN=(.*?),OU=Sales.*$/seller-$1/L , DEFAULT', ANNA, 'seller-anna.smith'],
    ['RULE:^CN=(.*?),OU=Admin.*$/$1/,DEFAULT', ANNA, ANNA],
    ['RULE:^CN=(.*?),OU=Admin.*$/$1/', ANNA, undefined],
    ['RULE:^CN=a\\/b$/c\\/d/', 'CN=a/b', 'c/d'],
    ['RULE:Smith/x/', ANNA, undefined],
  ])('by %s of %s is %s', (rules, distinguishedName, name) => {
    expect(new PrincipalRules(rules).nameOf(distinguishedName)).toBe(name);
  });
});

test.each(['RULE:^CN=(.*)$/$1', 'RULE:(/x/', 'ELSE', 'DEFAULT,RULE:a/b/X'])('%s is refused', (rules) => {
  expect(() => new PrincipalRules(rules)).toThrow('kafka.principalMappingRules wants');
});
