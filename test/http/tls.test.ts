import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { makeCertificate } from '../../scripts/suites/certificate.ts';
import { temporaryDirectory } from '../kafka/fixture.ts';
import { startApi } from './fixture.ts';

test('the API is served over TLS', async () => {
  const certificate = makeCertificate(await temporaryDirectory());
  if (certificate === undefined) throw new Error('openssl makes no certificate');
  const { port } = await startApi({ listeners: ['http+tls://127.0.0.1:0'], settings: { tls: certificate } });
  const ca = await readFile(certificate.cert);
  const answer = await new Promise((resolve, reject) => {
    const options = { host: 'localhost', port, path: '/api/whoami', auth: 'guest:guest', ca, agent: false };
    request(options, (response) => resolve(json(response)))
      .on('error', reject)
      .end();
  });
  expect(answer).toEqual({ name: 'guest', tags: ['administrator'] });
});
