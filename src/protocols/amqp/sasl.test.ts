import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import { encodeTable, Users } from '../../broker/index.ts';
import { SeededRandom } from '../../environment/seeded-random.ts';
import type { Shard } from '../../storage/index.ts';
import { AmqpError } from './errors.ts';
import { decodeAmqplain, decodePlain, failureText, logIn, mechanismsFor } from './sasl.ts';

const SYNTAX_ERROR = expect.objectContaining({ reply: 'SYNTAX_ERROR' });

describe('PLAIN', () => {
  it('is name and password, with a zero before each', () => {
    const response = Buffer.from('00677565737400 6775657374'.replace(' ', ''), 'hex');
    expect(decodePlain(response)).toEqual({ name: 'guest', password: 'guest' });
    expect(decodePlain(Buffer.from('\0ü\0'))).toEqual({ name: 'ü', password: '' });
  });

  it.each(['', '\0', 'guest', '\0guest', 'admin\0guest\0guest', '\0guest\0gu\0est', 'guest\0guest'])(
    'is nothing else: %j',
    (response) => {
      expect(() => decodePlain(Buffer.from(response))).toThrow(SYNTAX_ERROR);
    },
  );

  it('is UTF-8', () => {
    expect(() => decodePlain(Buffer.from('0061 00ff'.replace(' ', ''), 'hex'))).toThrow(SYNTAX_ERROR);
  });
});

describe('AMQPLAIN', () => {
  it('is a table without its length', () => {
    // LOGIN S guest PASSWORD S guest, as amqplib writes it.
    const response = Buffer.from(
      '054c4f47494e53000000056775657374 0850415353574f524453000000056775657374'.replace(' ', ''),
      'hex',
    );
    expect(decodeAmqplain(response)).toEqual({ name: 'guest', password: 'guest' });
  });

  it('takes byte arrays for strings', () => {
    const table = encodeTable(
      new Map([
        ['LOGIN', { type: 'x', value: Buffer.from('anna') }],
        ['PASSWORD', { type: 'S', value: 'p' }],
      ]),
    );
    expect(decodeAmqplain(table)).toEqual({ name: 'anna', password: 'p' });
  });

  it.each([
    ['', 'missing LOGIN or PASSWORD'],
    ['054c4f47494e53000000056775657374', 'missing LOGIN or PASSWORD'],
    ['054c4f47494e53000000056775657374 0850415353574f52447401', 'unsupported type'],
    ['054c4f47494e5300000005', 'AMQPLAIN invalid'],
    ['054c4f47494e5300000001ff 0850415353574f5244530000000141', 'unsupported type'],
  ])('is nothing else: %s', (hex, why) => {
    const response = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    expect(() => decodeAmqplain(response)).toThrow(SYNTAX_ERROR);
    expect(() => decodeAmqplain(response)).toThrow(why);
  });
});

it('whatever the bytes are, they are a login or a syntax error', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      for (const decode of [decodePlain, decodeAmqplain]) {
        try {
          expect(decode(Buffer.from(bytes))).toHaveProperty('password');
        } catch (error) {
          expect(error).toEqual(SYNTAX_ERROR);
        }
      }
    }),
  );
});

describe('logging in', () => {
  const here = { loopback: true, asksForCertificate: false };
  const withCertificate = { loopback: false, asksForCertificate: true };
  let shard: Shard;
  let users: Users;
  beforeEach(async () => {
    const home = new ShardHome();
    shard = await home.open();
    users = await Users.open({
      shard,
      random: new SeededRandom(3),
      now: () => 0,
      onTrouble: () => {},
      firstUser: { name: 'guest', password: 'guest' },
      loopbackUsers: ['guest'],
      hasVirtualHost: () => true,
    });
    await users.put({ name: 'CN=device' });
  });
  afterEach(() => shard.close());

  it('offers EXTERNAL where clients are asked for certificates', () => {
    expect(mechanismsFor(here)).toBe('PLAIN AMQPLAIN');
    expect(mechanismsFor(withCertificate)).toBe('PLAIN AMQPLAIN EXTERNAL');
  });

  it('answers the user', () => {
    expect(logIn(users, here, 'PLAIN', Buffer.from('\0guest\0guest')).name).toBe('guest');
    const table = encodeTable(
      new Map([
        ['LOGIN', { type: 'S', value: 'guest' }],
        ['PASSWORD', { type: 'S', value: 'guest' }],
      ]),
    );
    expect(logIn(users, here, 'AMQPLAIN', table).name).toBe('guest');
    const client = { ...withCertificate, certificateName: 'CN=device' };
    expect(logIn(users, client, 'EXTERNAL', Buffer.alloc(0)).name).toBe('CN=device');
  });

  it.each([
    [here, 'PLAIN', '\0guest\0wrong', 'ACCESS_REFUSED', "PLAIN login refused: user 'guest' - invalid credentials"],
    [
      withCertificate,
      'PLAIN',
      '\0guest\0guest',
      'ACCESS_REFUSED',
      "PLAIN login refused: user 'guest' can only connect via localhost",
    ],
    [
      { ...withCertificate, certificateName: 'CN=other' },
      'EXTERNAL',
      '',
      'ACCESS_REFUSED',
      "EXTERNAL login refused: user 'CN=other' - invalid credentials",
    ],
    [
      withCertificate,
      'EXTERNAL',
      '',
      'ACCESS_REFUSED',
      'EXTERNAL login refused: the client showed no TLS certificate with a name in it',
    ],
    [here, 'EXTERNAL', '', 'COMMAND_INVALID', "invalid authentication mechanism 'EXTERNAL'"],
    [here, 'ANONYMOUS', '', 'COMMAND_INVALID', "unknown authentication mechanism 'ANONYMOUS'"],
  ])('of %j by %s with %j is refused', (client, mechanism, response, reply, message) => {
    expect(() => logIn(users, client, mechanism, Buffer.from(response))).toThrow(
      expect.objectContaining({ reply, message }),
    );
    expect(() => logIn(users, client, mechanism, Buffer.from(response))).toThrow(AmqpError);
  });

  it('tells the client little', () => {
    expect(failureText('PLAIN')).toBe(
      'Login was refused using authentication mechanism PLAIN. For details see the broker logfile.',
    );
  });
});
