import { describe, expect, test } from 'vitest';
import { buildConsole, isConsoleBuilt } from '../../scripts/console.mjs';
import { startApi } from './fixture.ts';

const page = { as: '', headers: { accept: 'text/html,*/*' } };

async function started() {
  if (!isConsoleBuilt()) await buildConsole();
  return startApi();
}

describe('the console', () => {
  test('is one page at every address that nothing else has, for browsers', async () => {
    const { ask } = await started();
    for (const path of [
      '/',
      '/queues/%2F/a%2Fb',
      '/connections?page=2',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/package.json',
    ]) {
      const answer = await ask('GET', path, undefined, page);
      expect(answer.status, path).toBe(200);
      expect(answer.body, path).toContain('<div id="root">');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    }
    for (const path of ['/api/none', '/assets/none.js', '/metrics/none', '/healthz/none'])
      expect(await ask('GET', path, undefined, page), path).toMatchObject({
        status: 404,
        body: { error: 'Object Not Found' },
      });
    expect(await ask('GET', '/queues', undefined, { as: '' })).toMatchObject({ status: 404 });
    expect(await ask('GET', '/', undefined, { as: '' })).toMatchObject({ status: 200 });
    expect(await ask('POST', '/queues', undefined, page)).toMatchObject({ status: 404 });
  });

  test('runs no scripts but its own, and is in no page of others', async () => {
    const { ask } = await started();
    const { headers } = await ask('GET', '/', undefined, page);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'self';.*frame-ancestors 'none'/);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('has files that are compressed already, and kept for ever by their names', async () => {
    const { ask } = await started();
    const { body } = await ask('GET', '/', undefined, page);
    const names = [...String(body).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(2);
    for (const name of names)
      for (const [accepted, encoding] of [
        ['br, gzip', 'br'],
        ['gzip;q=0.5, br;q=0', 'gzip'],
        ['identity', null],
      ] as const) {
        const answer = await ask('GET', name, undefined, { as: '', headers: { 'accept-encoding': accepted } });
        expect(answer.status, name).toBe(200);
        expect(answer.headers.get('content-encoding'), name).toBe(encoding);
        expect(answer.headers.get('cache-control')).toContain('immutable');
        expect(answer.headers.get('vary')).toBe('accept-encoding');
        const etag = answer.headers.get('etag') ?? '';
        // fetch says no-cache by itself where there is an if-none-match.
        const again = { 'accept-encoding': accepted, 'if-none-match': etag, 'cache-control': 'max-age=0' };
        expect(await ask('GET', name, undefined, { as: '', headers: again })).toMatchObject({ status: 304, body: '' });
      }
    const types = await Promise.all(names.map(async (name) => (await ask('HEAD', name)).headers.get('content-type')));
    expect(types.map((type) => type?.split(';')[0]).sort()).toEqual(
      expect.arrayContaining(['application/javascript', 'image/svg+xml', 'text/css']),
    );
  });

  test('gives no other file away', async () => {
    const { ask } = await started();
    for (const path of [
      ...['/assets/..%2f..%2f..%2fpackage.json', '/assets/%2e%2e/index.html', '/assets/../../package.json'],
      ...['/assets/..%5c..%5cpackage.json', '/assets/%00', '/assets/', '/assets/.sources', '/assets//etc/passwd'],
    ]) {
      const answer = await ask('GET', path, undefined, { as: '' });
      expect([400, 404], path).toContain(answer.status);
      expect(JSON.stringify(answer.body), path).not.toContain('sluice');
    }
  });

  test('can be switched off', async () => {
    const { ask } = await startApi({ settings: { http: { console: false } } });
    expect(await ask('GET', '/', undefined, page)).toMatchObject({ status: 404, body: { error: 'Object Not Found' } });
    expect(await ask('GET', '/api/whoami')).toMatchObject({ status: 200 });
  });
});
