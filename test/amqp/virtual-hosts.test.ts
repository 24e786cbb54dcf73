import { connect } from 'amqplib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { onSluice, startBroker, type TestBroker } from './fixture.ts';
import { drain, publish } from './messages.ts';

const NAMES = ['/', 'plain', '/leading/slash', 'with space', 'ü', '%2f'];

/** A broker with these virtual hosts, in each of which the user may do everything. */
async function start() {
  const broker = await startBroker();
  await broker.sluice?.importDefinitions({
    vhosts: NAMES.map((name) => ({ name })),
    permissions: NAMES.map((vhost) => ({ user: 'guest', vhost, configure: '.*', write: '.*', read: '.*' })),
  });
  return broker;
}

async function confirmChannelIn({ url }: TestBroker, virtualHost: string) {
  const model = await connect(`${url}/${encodeURIComponent(virtualHost)}`);
  onTestFinished(() => model.close());
  return model.createConfirmChannel();
}

// They come by RabbitMQ's definitions; another broker is told of them by its own means.
describe.runIf(onSluice)('virtual hosts', () => {
  test('may have any names, and share nothing', async () => {
    const broker = await start();
    const channels = [];
    for (const name of NAMES) {
      const own = await confirmChannelIn(broker, name);
      await own.assertExchange('x', 'fanout');
      await own.assertQueue('q');
      await own.bindQueue('q', 'x', '');
      await publish(own, { exchange: 'x', key: '' }, name);
      channels.push(own);
    }
    const received = [];
    for (const own of channels) received.push(...(await drain(own, 'q')));
    expect(received).toEqual(NAMES);
  });

  test('each have the exchanges that there are from the beginning', async () => {
    const broker = await start();
    const own = await confirmChannelIn(broker, 'plain');
    for (const exchange of ['amq.direct', 'amq.fanout', 'amq.topic', 'amq.headers', 'amq.match'])
      await own.checkExchange(exchange);
  });

  test('are named in what is refused', async () => {
    const broker = await start();
    const own = await confirmChannelIn(broker, 'with space');
    own.on('error', () => {});
    await expect(own.checkQueue('nope')).rejects.toThrow("no queue 'nope' in vhost 'with space'");
  });
});
