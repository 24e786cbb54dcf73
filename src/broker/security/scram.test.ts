import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isScramMechanism,
  nobodysCredential,
  SCRAM_MECHANISMS,
  type ScramCredential,
  type ScramMechanism,
  saltPassword,
  scramCredential,
} from './scram.ts';
import { ScramExchange } from './scram-exchange.ts';

/** The exchange of RFC 7677, section 3, and that of user 'user', password 'pencil' with SHA-512 (RFC 5802's formulas over the same texts). */
const RFC_7677 = {
  password: 'pencil',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  iterations: 4096,
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

async function credentialFor(mechanism: ScramMechanism, password: string, salt = RFC_7677.salt, iterations = 4096) {
  const saltedPassword = await saltPassword(mechanism, password, salt, iterations);
  return { saltedPassword, credential: scramCredential(mechanism, { salt, saltedPassword, iterations }) };
}

function exchangeWith(mechanism: ScramMechanism, credential: ScramCredential, serverNonce = RFC_7677.serverNonce) {
  return new ScramExchange({ mechanism, serverNonce, credentialOf: () => credential });
}

/** What a client that knows the salted password sends last. */
function clientFinal(mechanism: ScramMechanism, salted: Buffer, bare: string, serverFirst: string, header = 'n,,') {
  const digest = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
  const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest();
  const nonce = /^r=([^,]*)/.exec(serverFirst)?.[1];
  const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${nonce}`;
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash(digest).update(clientKey).digest(), `${bare},${serverFirst},${withoutProof}`);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
  return `${withoutProof},p=${proof.toString('base64')}`;
}

describe('SCRAM', () => {
  it('answers what RFC 7677 says', async () => {
    const { credential } = await credentialFor('SCRAM-SHA-256', RFC_7677.password);
    const exchange = exchangeWith('SCRAM-SHA-256', credential);
    expect(exchange.next(Buffer.from(RFC_7677.clientFirst)).answer.toString()).toBe(RFC_7677.serverFirst);
    const final = exchange.next(Buffer.from(RFC_7677.clientFinal));
    expect(final.answer.toString()).toBe(RFC_7677.serverFinal);
    expect(final.user).toBe('user');
    expect(() => exchange.next(Buffer.from(RFC_7677.clientFinal))).toThrow('unexpected');
  });

  it('lets in whoever knows the password, and nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SCRAM_MECHANISMS),
        fc.string({ minLength: 1, unit: 'binary' }),
        fc.string({ minLength: 1, unit: 'binary' }),
        fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => name.isWellFormed()),
        async (mechanism, password, tried, user) => {
          const { credential } = await credentialFor(mechanism, password);
          const { saltedPassword } = await credentialFor(mechanism, tried);
          const exchange = exchangeWith(mechanism, credential);
          const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=abc`;
          const serverFirst = exchange.next(Buffer.from(`n,,${bare}`)).answer.toString();
          const last = Buffer.from(clientFinal(mechanism, saltedPassword, bare, serverFirst));
          const outcome = () => exchange.next(last);
          if (tried === password) expect(outcome().user).toBe(user);
          else expect(outcome).toThrow(expect.objectContaining({ code: 'not-authorized' }));
        },
      ),
      { numRuns: 10 },
    );
  });

  it.each([
    ['', 'nothing'],
    ['n,,n=user', 'no nonce'],
    ['p=tls-unique,,n=user,r=abc', 'a channel binding that there is not'],
    ['y,,n=user,r=abc,m=ext', 'a client that thinks the server has none'],
    ['n,a=other,n=user,r=abc', 'another user to act as'],
    ['n,,n=us=er,r=abc', 'a name that is not escaped'],
    ['n,,n=user,r=abc,tokenauth=true', 'a delegation token'],
    ['n,,n=user,r=a\u0007c', 'a nonce that cannot be printed'],
  ])('refuses to begin with %j: %s', async (message) => {
    const exchange = exchangeWith('SCRAM-SHA-256', nobodysCredential('SCRAM-SHA-256', 'x', Buffer.from('s')));
    expect(() => exchange.next(Buffer.from(message))).toThrow(expect.objectContaining({ code: 'not-authorized' }));
    expect(() => exchange.next(Buffer.from('n,,n=user,r=abc'))).toThrow('unexpected');
  });

  it('refuses a proof for another nonce or another header', async () => {
    const { credential, saltedPassword } = await credentialFor('SCRAM-SHA-512', 'pw');
    const bare = 'n=user,r=abc';
    const wrong = [
      (serverFirst: string) =>
        clientFinal('SCRAM-SHA-512', saltedPassword, bare, serverFirst.replace('r=abc', 'r=abd')),
      (serverFirst: string) => clientFinal('SCRAM-SHA-512', saltedPassword, bare, serverFirst, 'y,,'),
      (serverFirst: string) =>
        clientFinal('SCRAM-SHA-512', saltedPassword, bare, serverFirst).replace(/p=.*/, 'p=AAAA'),
    ];
    for (const last of wrong) {
      const exchange = exchangeWith('SCRAM-SHA-512', credential);
      const serverFirst = exchange.next(Buffer.from(`n,,${bare}`)).answer.toString();
      expect(() => exchange.next(Buffer.from(last(serverFirst)))).toThrow();
    }
  });

  it('tells the same of a user who is not there each time, and lets nobody in as one', () => {
    const secret = Buffer.from('secret');
    const one = nobodysCredential('SCRAM-SHA-256', 'ghost', secret);
    expect(nobodysCredential('SCRAM-SHA-256', 'ghost', secret)).toEqual(one);
    expect(nobodysCredential('SCRAM-SHA-256', 'other', secret).salt).not.toBe(one.salt);
    const exchange = exchangeWith('SCRAM-SHA-256', one);
    const serverFirst = exchange.next(Buffer.from('n,,n=ghost,r=abc')).answer.toString();
    const last = clientFinal('SCRAM-SHA-256', Buffer.alloc(32), 'n=ghost,r=abc', serverFirst);
    expect(() => exchange.next(Buffer.from(last))).toThrow('invalid credentials');
  });

  it('refuses credentials that are none', () => {
    const good = { salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32), iterations: 4096 };
    expect(() => scramCredential('SCRAM-SHA-256', { ...good, iterations: 4095 })).toThrow('Too few');
    expect(() => scramCredential('SCRAM-SHA-256', { ...good, iterations: 16_385 })).toThrow('Too many');
    expect(() => scramCredential('SCRAM-SHA-256', { ...good, salt: Buffer.alloc(0) })).toThrow('salt');
    expect(() => scramCredential('SCRAM-SHA-512', good)).toThrow('64 bytes');
    expect(isScramMechanism('SCRAM-SHA-1')).toBe(false);
  });
});
