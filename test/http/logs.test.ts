import { describe, expect, test } from 'vitest';
import type { LogLineShape, LogPageShape } from '../../src/protocols/http/shapes/logs.ts';
import { type ApiBroker, makeUser, startApi } from './fixture.ts';

/** Fails to log in by AMQP, so that the log has a line about it. */
async function complain({ sluice }: ApiBroker, name: string): Promise<void> {
  const { connect } = await import('amqplib');
  const url = sluice.listeners[1]?.url.replace('amqp://', `amqp://${name}:wrong@`) ?? '';
  await expect(connect(url)).rejects.toThrow();
}

async function lines(api: ApiBroker, query = ''): Promise<readonly LogLineShape[]> {
  return ((await api.ask('GET', `/api/logs?${query}`)).body as LogPageShape).items;
}

test('the latest lines are read by level, part, text and pages', async () => {
  const api = await startApi();
  for (const name of ['anna', 'bert', 'carl']) await complain(api, name);
  const [line] = await lines(api, 'part=amqp&level=warn');
  expect(line).toEqual({
    id: expect.any(Number),
    time: expect.any(Number),
    level: 'warn',
    part: 'amqp',
    message: expect.any(String),
    facts: expect.objectContaining({ client: expect.stringContaining('127.0.0.1') }),
  });
  expect(await lines(api, 'text=ANNA&level=warn')).toHaveLength(1);
  expect(await lines(api, 'part=kafka')).toEqual([]);
  expect(await lines(api, 'since=2100-01-01')).toEqual([]);
  const first = (await api.ask('GET', '/api/logs?level=warn&part=amqp&limit=2')).body as LogPageShape;
  expect(first.items).toHaveLength(2);
  const rest = (await api.ask('GET', `/api/logs?level=warn&part=amqp&limit=2&before=${first.next}`))
    .body as LogPageShape;
  expect(rest.items.length).toBeGreaterThan(0);
  for (const query of ['level=loud', 'limit=0', 'before=x'])
    expect(await api.ask('GET', `/api/logs?${query}`), query).toMatchObject({ status: 400 });
  expect(await api.ask('GET', '/api/logs/tail?level=loud')).toMatchObject({ status: 400 });
});

test('lines are told as they come, and from where a reader was', async () => {
  const api = await startApi();
  await complain(api, 'anna');
  const [known] = await lines(api, 'part=amqp&level=warn');
  const aborter = new AbortController();
  const response = await fetch(`${api.url}/api/logs/tail?part=amqp&level=warn`, {
    headers: {
      authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`,
      'last-event-id': String((known?.id ?? 0) - 1),
    },
    signal: aborter.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const told: LogLineShape[] = [];
  await complain(api, 'bert');
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    told.splice(0, told.length, ...[...text.matchAll(/^data: (.*)\n\n/gm)].map(([, json]) => JSON.parse(json ?? '')));
    if (text.includes('bert')) break;
  }
  aborter.abort();
  expect(told[0]).toEqual(known);
  expect(JSON.stringify(told.at(-1))).toContain('bert');
});

describe('the level', () => {
  test('is changed while the broker runs, of all and of one part', async () => {
    const api = await startApi();
    const level = async () => (await api.ask('GET', '/api/log-level')).body;
    expect(await level()).toMatchObject({
      level: 'debug',
      parts: { kafka: null, amqp: null, http: null, broker: null },
    });
    expect(await api.ask('PUT', '/api/log-level', { level: 'error' })).toMatchObject({ status: 204 });
    await complain(api, 'anna');
    expect(await lines(api, 'text=anna')).toEqual([]);
    expect(await api.ask('PUT', '/api/log-level', { parts: { amqp: 'warn' } })).toMatchObject({ status: 204 });
    await complain(api, 'bert');
    expect(await lines(api, 'text=bert')).not.toEqual([]);
    expect(await level()).toMatchObject({ level: 'error', parts: { amqp: 'warn' } });
    await api.ask('PUT', '/api/log-level', { parts: { amqp: null } });
    expect(await level()).toMatchObject({ level: 'error', parts: { amqp: null } });
    for (const body of [{ level: 'loud' }, { level: null }, { parts: { storage: 'info' } }, { other: 1 }])
      expect(await api.ask('PUT', '/api/log-level', body), JSON.stringify(body)).toMatchObject({ status: 400 });
  });

  test('is for administrators to change; monitoring reads', async () => {
    const api = await startApi();
    const monitor = await makeUser(api, 'monitor', 'monitoring');
    const user = await makeUser(api, 'user', 'management');
    for (const path of ['/api/logs', '/api/log-level']) {
      expect(await api.ask('GET', path, undefined, monitor)).toMatchObject({ status: 200 });
      expect(await api.ask('GET', path, undefined, user)).toMatchObject({ status: 401 });
    }
    expect(await api.ask('GET', '/api/logs/tail', undefined, user)).toMatchObject({ status: 401 });
    expect(await api.ask('PUT', '/api/log-level', { level: 'info' }, monitor)).toMatchObject({ status: 401 });
  });
});
