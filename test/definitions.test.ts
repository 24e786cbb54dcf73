import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import { createBroker } from '../src/index.ts';
import { temporaryDirectory } from './kafka/fixture.ts';

const DEFINITIONS = {
  users: [{ name: 'anna', password: 'secret', tags: [] }],
  vhosts: [{ name: 'shop' }],
  permissions: [{ user: 'anna', vhost: 'shop', configure: '', write: '^orders$', read: '^orders$' }],
  queues: [{ name: 'orders', vhost: 'shop', durable: true, auto_delete: false, arguments: {} }],
  exchanges: [],
  bindings: [
    { source: 'amq.direct', vhost: 'shop', destination: 'orders', destination_type: 'queue', routing_key: 'o' },
  ],
};

async function fileOf(content: unknown): Promise<string> {
  const file = join(await temporaryDirectory(), 'definitions.json');
  await writeFile(file, typeof content === 'string' ? content : `\ufeff${JSON.stringify(content)}`);
  return file;
}

async function start(definitions: string, directory?: string) {
  const broker = await createBroker({
    listeners: ['amqp://127.0.0.1:0'],
    ...(directory === undefined ? {} : { storage: 'disk' as const, directory }),
    settings: { definitions },
  });
  onTestFinished(() => broker.close());
  return { broker, at: `127.0.0.1:${broker.listeners[0]?.port}` };
}

test('the definitions of a file are there when clients come, and nobody else', async () => {
  const { at } = await start(await fileOf(DEFINITIONS));
  const model = await connect(`amqp://anna:secret@${at}/shop`);
  onTestFinished(() => model.close());
  expect(await (await model.createChannel()).checkQueue('orders')).toMatchObject({ messageCount: 0 });
  await expect(connect(`amqp://guest:guest@${at}`)).rejects.toThrow(/ACCESS.REFUSED/);
});

test('users and permissions outlive a restart without the file', async () => {
  const directory = await temporaryDirectory();
  const { broker } = await start(await fileOf(DEFINITIONS), directory);
  const exported = broker.exportDefinitions();
  await broker.close();
  const again = await start(await fileOf({}), directory);
  expect(again.broker.exportDefinitions()).toEqual(exported);
  const model = await connect(`amqp://anna:secret@${again.at}/shop`);
  await model.close();
});

test('a file without users leaves the first user what it is', async () => {
  const { at } = await start(await fileOf({ ...DEFINITIONS, users: [], permissions: [] }));
  const model = await connect(`amqp://guest:guest@${at}`);
  await model.close();
});

test('what is exported can be imported by another broker', async () => {
  const { broker } = await start(await fileOf(DEFINITIONS));
  const other = await createBroker();
  onTestFinished(() => other.close());
  await other.importDefinitions(broker.exportDefinitions());
  expect(other.exportDefinitions().queues).toEqual(broker.exportDefinitions().queues);
  expect(other.exportDefinitions().users?.map(({ name }) => name)).toEqual(['guest', 'anna']);
});

test.each([
  ['{', 'it is not JSON'],
  [{ queues: [{ name: 'q' }] }, 'queues[0].vhost'],
  [{ queues: [{ name: 'q', vhost: '/', arguments: { 'x-expires': 0 } }] }, "queues[0] ('q')"],
])('a file with %j keeps the broker from starting, and says why', async (content, why) => {
  const file = await fileOf(content);
  const refusal = expect(start(file)).rejects;
  await refusal.toMatchObject({ code: 'invalid-configuration', message: expect.stringContaining(`${file}: ${why}`) });
});

test('so does a file that is not there', async () => {
  await expect(start('/nowhere/definitions.json')).rejects.toThrow(
    'cannot read /nowhere/definitions.json: there is no such file',
  );
});
