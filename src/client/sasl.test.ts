import { expect, it } from 'vitest';
import { prove } from './sasl.ts';

/** The exchange of RFC 7677, section 3. */
const LOGIN = { user: 'user', password: 'pencil', mechanism: 'SCRAM-SHA-256' } as const;
const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_FIRST = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

/** Answers as told; gives what the client sent. */
async function exchange(...answers: readonly string[]): Promise<string[]> {
  const sent: string[] = [];
  await prove(LOGIN, NONCE, async (message) => {
    sent.push(`${message}`);
    return Buffer.from(answers[sent.length - 1] ?? '');
  });
  return sent;
}

it('proves that it knows the password as RFC 7677 has it', async () => {
  expect(await exchange(SERVER_FIRST, SERVER_FINAL)).toEqual([
    `n,,n=user,r=${NONCE}`,
    `c=biws,r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  ]);
});

it.each([
  ['has another nonce', SERVER_FIRST.replace(NONCE, 'other'), SERVER_FINAL],
  ['asks for less work than is safe', SERVER_FIRST.replace('4096', '4095'), SERVER_FINAL],
  ['asks for more work than it should', SERVER_FIRST.replace('4096', '100000000'), SERVER_FINAL],
  ['does not know the password', SERVER_FIRST, `v=${Buffer.alloc(32).toString('base64')}`],
  ['says nothing in the end', SERVER_FIRST, ''],
])('believes nobody who %s', async (_, first, final) => {
  await expect(exchange(first, final)).rejects.toMatchObject({ code: 'corrupt-message' });
});
