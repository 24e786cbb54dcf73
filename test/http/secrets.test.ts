import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ROUTES } from '../../src/protocols/http/routes/index.ts';
import { startApi } from './fixture.ts';

const PASSWORDS = ['planted-1', 'planted-2', 'planted-3', 'planted-default'];
const AS = { as: `root:${PASSWORDS[3]}` };
/** They carry users to another broker: what passwords are checked by is in them, for administrators. */
const WITH_HASHES = '/api/definitions';

/** A broker in which secrets are wherever somebody can put one. */
async function start() {
  const api = await startApi({ settings: { security: { defaultUser: 'root', defaultPassword: PASSWORDS[3] ?? '' } } });
  await api.ask('PUT', '/api/users/anna', { password: PASSWORDS[0], tags: 'administrator' }, AS);
  await api.ask('PUT', '/api/permissions/%2F/anna', { configure: '.*', write: '.*', read: '.*' }, AS);
  await api.ask('PUT', '/api/users/bert', { password: PASSWORDS[1], tags: '' }, AS);
  await api.ask('PUT', '/api/users/bert', { password: PASSWORDS[1], tags: 5 }, AS);
  await api.ask('PUT', '/api/queues/%2F/anna', {}, AS);
  await api.ask('GET', '/api/whoami', undefined, { as: `anna:${PASSWORDS[2]}` });
  const login = await api.ask('POST', '/api/session', { username: 'anna', password: PASSWORDS[0] }, { as: '' });
  const cookie = login.headers.get('set-cookie')?.split(/[=;]/)[1] ?? '';
  const { csrf_token: csrf } = login.body as { csrf_token: string };
  expect(cookie).not.toBe('');
  const { users } = (await api.ask('GET', WITH_HASHES, undefined, AS)).body as { users: { password_hash: string }[] };
  const hashes = users.map(({ password_hash: hash }) => hash);
  expect(hashes).toHaveLength(3);
  return { api, secrets: [...PASSWORDS, cookie, csrf], hashes };
}

function expectNone(text: string, secrets: readonly string[], where: string): void {
  for (const secret of secrets)
    for (const form of [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)])
      expect(text.includes(form), `${where} has ${secret}`).toBe(false);
}

test('no answer has a secret, whatever is asked for', async () => {
  const { api, secrets, hashes } = await start();
  let answered = 0;
  for (const { method, path, streams } of ROUTES) {
    if (method !== 'GET' || streams === true || path.endsWith('/hash_password/:password')) continue;
    const url = path
      .replace(':vhost', '%2F')
      .replaceAll(/:(user|queue|destination)\b/g, 'anna')
      .replaceAll(/:\w+/g, 'x');
    const { status, body } = await api.ask('GET', `${url}?timeout=0&format=jsonl`, undefined, AS);
    if (status === 200) answered++;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expectNone(text, secrets, path);
    if (path !== WITH_HASHES) expectNone(text, hashes, path);
  }
  expect(answered).toBeGreaterThan(40);
});

test('the support bundle has everything that helps, and no secret', async () => {
  const { api, secrets, hashes } = await start();
  const credentials = Buffer.from(AS.as).toString('base64');
  const response = await fetch(`${api.url}/api/support-bundle`, { headers: { authorization: `Basic ${credentials}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="sluice-support-.*\.tar\.gz"$/);
  const archive = gunzipSync(Buffer.from(await response.arrayBuffer()));
  const files = new Map<string, string>();
  for (let at = 0; archive[at] !== 0; ) {
    const name = archive.toString('latin1', at, at + 100).replaceAll('\0', '');
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8);
    files.set(name.split('/')[1] ?? '', archive.toString('utf8', at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  expect([...files.keys()]).toEqual([
    ...['version.json', 'settings.json', 'definitions.json', 'overview.json', 'memory.json', 'storage.json'],
    ...['listeners.json', 'log.jsonl', 'audit.jsonl'],
  ]);
  for (const [name, text] of files) {
    expectNone(text, [...secrets, ...hashes], name);
    if (name.endsWith('.json')) expect(() => JSON.parse(text), name).not.toThrow();
    else for (const line of text.split('\n').filter(Boolean)) expect(() => JSON.parse(line), name).not.toThrow();
  }
  expect(JSON.parse(files.get('definitions.json') ?? '')).toMatchObject({
    users: expect.arrayContaining([{ name: 'anna', tags: ['administrator'], limits: {} }]),
  });
  expect(files.get('audit.jsonl')).toContain('support-bundle.make');
  expect(await api.ask('GET', '/api/support-bundle', undefined, { as: `bert:${PASSWORDS[1]}` })).toMatchObject({
    status: 401,
  });
});

test('the archive is one that tar reads', async () => {
  const { tar } = await import('../../src/protocols/http/tar.ts');
  const { spawnSync } = await import('node:child_process');
  const files = [0, 1, 511, 512, 513, 5000].map((size) => ({ name: `d/${size}`, bytes: Buffer.alloc(size, 'x') }));
  const { stdout, status } = spawnSync('tar', ['-tvf', '-'], { input: tar(files, 1_700_000_000_000) });
  expect(status).toBe(0);
  const listed = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  expect(listed.map((parts) => `${parts[2]} ${parts.at(-1)}`)).toEqual(
    files.map(({ name, bytes }) => `${bytes.length} ${name}`),
  );
});
