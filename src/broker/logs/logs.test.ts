import { beforeEach, describe, expect, test } from 'vitest';
import { SILENT } from '../../environment/logger.ts';
import { Logs } from './logs.ts';

let lines: string[];
const sink = () => {
  const take = (level: string) => (_: object, message: string) => void lines.push(`${level} ${message}`);
  return { level: 'info', debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') };
};
const remembered = (logs: Logs) => [...logs.ring.newestFirst()].map(({ message }) => message).reverse();

beforeEach(() => {
  lines = [];
});

test('levels hold for all, and for parts that have their own', () => {
  const to = sink();
  const logs = new Logs({ sink: to, now: () => 1 });
  const say = (message: string) => {
    for (const part of ['kafka', 'amqp'] as const) {
      logs.part(part).debug({}, `${part} ${message}`);
      logs.part(part).error({}, `${part} ${message}`);
    }
    return lines.splice(0);
  };
  expect(say('1')).toEqual(['error kafka 1', 'error amqp 1']);
  logs.setLevel('kafka', 'debug');
  expect(to.level).toBe('debug');
  expect(say('2')).toEqual(['debug kafka 2', 'error kafka 2', 'error amqp 2']);
  logs.setLevel('all', 'silent');
  expect(say('3')).toEqual(['debug kafka 3', 'error kafka 3']);
  logs.setLevel('kafka', undefined);
  expect(say('4')).toEqual([]);
  expect(to.level).toBe('silent');
  expect([logs.level, logs.ownLevel('kafka')]).toEqual(['silent', undefined]);
  expect(remembered(logs)).toEqual(['kafka 1', 'amqp 1', 'kafka 2', 'kafka 2', 'amqp 2', 'kafka 3', 'kafka 3']);
});

describe('the latest lines', () => {
  test('are bounded in number and in size', () => {
    const logs = new Logs({ sink: SILENT, now: () => 1 });
    for (let i = 0; i < 12_345; i++) logs.part('http').info({ i }, `line ${i}`);
    const entries = [...logs.ring.newestFirst()];
    expect(entries).toHaveLength(5_000);
    expect(entries[0]).toEqual({
      id: 12_345,
      time: 1,
      level: 'info',
      part: 'http',
      message: 'line 12344',
      facts: '{"i":12344}',
    });
    expect(entries.at(-1)?.message).toBe('line 7345');
    for (let i = 0; i < 2_000; i++) logs.part('http').info({ i: 'x'.repeat(100_000) }, 'y'.repeat(100_000));
    const sizes = [...logs.ring.newestFirst()].map(({ message, facts }) => message.length + facts.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(sizes.length).toBeGreaterThan(100);
  });

  test('have what errors say, and nothing that cannot be shown fails', () => {
    const logs = new Logs({ sink: SILENT, now: () => 1 });
    const circle: { self?: object } = {};
    circle.self = circle;
    logs.part('broker').error({ err: new Error('broken') }, 'a');
    logs.part('broker').error(circle, 'b');
    logs.part('broker').error({ n: 1n }, 'c');
    const [c, b, a] = [...logs.ring.newestFirst()].map(({ facts }) => facts);
    expect(a).toContain('Error: broken');
    expect([b, c]).toEqual(['{}', '{"n":"1"}']);
  });

  test('are told as they come, and from an id on', () => {
    const logs = new Logs({ sink: SILENT, now: () => 1 });
    const told: number[] = [];
    const stop = logs.ring.onLine(({ id }) => told.push(id));
    for (const message of ['a', 'b', 'c']) logs.part('amqp').warn({}, message);
    stop();
    logs.part('amqp').warn({}, 'd');
    expect(told).toEqual([1, 2, 3]);
    expect([...logs.ring.newestFirst(3)].map(({ id }) => id)).toEqual([2, 1]);
  });
});
