import { expect, onTestFinished, test } from 'vitest';
import { SluiceProcess, sluice } from './sluice.ts';

test('clients of every protocol talk to each other, and the broker is gone afterwards', async () => {
  const { code, stdout, stderr } = await sluice(['demo']);
  expect([code, stderr]).toEqual([0, '']);
  const told = [
    'analytics read {"order":1',
    'a reader of the stream, from its beginning: {"order":2',
    'mail worker got {"order":3',
  ];
  for (const text of [...told, '1 brought back', 'again, and acknowledges it', 'Try next:'])
    expect(stdout).toContain(text);
  const [, url = ''] = /for HTTP on (http:\S+)\./.exec(stdout) ?? [];
  const gone = await sluice(['status', '--url', url]);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('nothing listens there')]);
});

test('the broker stays for who wants to go on', async () => {
  const { code, stdout } = await sluice(['demo', '--keep']);
  const [, pid] = /kill (\d+)$/m.exec(stdout) ?? [];
  onTestFinished(() => {
    process.kill(Number(pid));
  });
  expect(code).toBe(0);
  const [, url = ''] = /top --url (\S+)/.exec(stdout) ?? [];
  const { stdout: queues } = await sluice(['queue', 'list', '--url', url, '--columns', 'name']);
  expect(queues).toBe('NAME\nmails\nmails.failed\norders\n');
});

test('Ctrl-C ends it, and its broker', async () => {
  const demo = new SluiceProcess(['demo', '--pace', '60000']);
  const [, url = ''] = await demo.says(/for HTTP on (http:\S+)\./);
  expect(await demo.stop('SIGINT')).toMatchObject({ code: 130 });
  expect(await sluice(['status', '--url', url])).toMatchObject({ code: 1 });
});
