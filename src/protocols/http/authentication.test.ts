import { describe, expect, test } from 'vitest';
import { type Broker, LoginThrottle } from '../../broker/index.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { BrokerError } from '../../errors.ts';
import { authenticate, isForged } from './authentication.ts';

const header = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

describe('an authorization header', () => {
  const asked: unknown[] = [];
  const authenticator = {
    authenticate(name: string, password: string, from: object) {
      asked.push([name, password, from]);
      throw new BrokerError('not-authorized', 'a secret reason');
    },
  };
  const audit = { record() {} };
  const meters = { protocol: () => ({ failedLogins: 0 }) };
  const by = (authorization: string | undefined, address: string) => () =>
    authenticate(
      { users: authenticator, logins: new LoginThrottle(new VirtualClock(0)), audit, meters } as unknown as Broker,
      {
        method: 'GET',
        headers: { authorization },
        visitor: { address, port: 15672, tls: false },
      },
    );

  test('has a name, and a password with whatever is behind the first colon', () => {
    expect(by(header('änna:a:b '), '127.0.0.1')).toThrow('Login failed');
    expect(asked.pop()).toEqual(['änna', 'a:b ', { loopback: true }]);
  });

  test('says nothing of the machine that it comes from: the socket does', () => {
    expect(by(header('guest:guest'), '10.1.2.3')).toThrow('Login failed');
    expect(asked.pop()).toEqual(['guest', 'guest', { loopback: false }]);
  });

  test.each([undefined, '', 'Basic', 'Basic !', 'Bearer x', header('nocolon'), `Basic ${'A'.repeat(10_000)}`])(
    'that is none is asked nobody about: %s',
    (text) => {
      expect(by(text, '127.0.0.1')).toThrow('Login failed');
      expect(asked).toEqual([]);
    },
  );
});

test.each([
  ['GET', { origin: 'http://evil' }, false],
  ['PUT', {}, false],
  ['PUT', { origin: 'http://broker:15672', host: 'broker:15672' }, false],
  ['PUT', { origin: 'http://broker', host: 'broker:15672' }, true],
  ['POST', { origin: 'null', host: 'broker' }, true],
  ['DELETE', { 'sec-fetch-site': 'cross-site' }, true],
  ['DELETE', { 'sec-fetch-site': 'same-site' }, true],
  ['DELETE', { 'sec-fetch-site': 'same-origin' }, false],
  ['DELETE', { 'sec-fetch-site': 'none' }, false],
  ['PUT', { 'sec-fetch-site': 'same-origin', origin: 'https://broker.example', host: '127.0.0.1:15672' }, false],
  ['PUT', { 'sec-fetch-site': 'none', origin: 'https://evil.example', host: '127.0.0.1:15672' }, true],
])('whether another site is behind %s with %o: %s', (method, headers, forged) => {
  expect(isForged(method, headers)).toBe(forged);
});
