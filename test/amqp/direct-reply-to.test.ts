import type { Channel, ConsumeMessage } from 'amqplib';
import { expect, test } from 'vitest';
import { channel, confirmChannel, startBroker, until } from './fixture.ts';
import { Inbox, publish } from './messages.ts';
import { refusal } from './refusal.ts';

const REPLY_TO = 'amq.rabbitmq.reply-to';

test('an answer comes to the channel that asked, by a name that the broker put in the place of the address', async () => {
  const broker = await startBroker();
  const [client, server] = [await channel(broker), await channel(broker)];
  const { queue } = await server.assertQueue('', { autoDelete: true });
  await server.consume(queue, (message) => {
    if (message === null) return;
    const { replyTo, correlationId } = message.properties;
    server.publish('', String(replyTo), Buffer.from(`answer to ${message.content}`), { correlationId });
    server.ack(message);
  });
  const answers = await Inbox.open(client, REPLY_TO, { noAck: true });
  for (let i = 0; i < 10; i++)
    client.sendToQueue(queue, Buffer.from(`question ${i}`), { replyTo: REPLY_TO, correlationId: `${i}` });
  await answers.received(10);
  expect(answers.messages.map(({ content, properties }) => `${properties.correlationId}: ${content}`)).toEqual(
    Array.from({ length: 10 }, (_, i) => `${i}: answer to question ${i}`),
  );
  expect(answers.messages[0]?.fields).toMatchObject({ exchange: '', redelivered: false });
});

/** Consumes answers on one channel; what a server sees as the address is told. */
async function asked() {
  const broker = await startBroker();
  const [client, server] = [await channel(broker), await confirmChannel(broker)];
  const { queue } = await server.assertQueue('', { exclusive: true });
  const answers = await Inbox.open(client, REPLY_TO, { noAck: true });
  client.sendToQueue(queue, Buffer.from('?'), { replyTo: REPLY_TO });
  const questions: ConsumeMessage[] = [];
  await server.consume(queue, (message) => void (message && questions.push(message)), { noAck: true });
  await until(() => questions.length === 1);
  return { broker, client, server, answers, address: String(questions[0]?.properties.replyTo) };
}

test('the address is a name of its own, and can be looked for while it is good', async () => {
  const { client, server, answers, address } = await asked();
  expect(address).toMatch(/^amq\.rabbitmq\.reply-to\../);
  expect(await server.checkQueue(address)).toMatchObject({ queue: address, messageCount: 0, consumerCount: 1 });
  await client.cancel(answers.consumerTag);
  expect(await refusal(server, () => server.checkQueue(address))).toMatchObject({ code: 404 });
});

test('an answer to a channel that has gone goes nowhere, without harm', async () => {
  const { client, server, address } = await asked();
  await client.close();
  await publish(server, { key: address }, 'too late');
  const returned: unknown[] = [];
  server.on('return', (message) => returned.push(message));
  await publish(server, { key: `${REPLY_TO}.nonsense`, mandatory: true }, 'made up');
  expect(returned).toHaveLength(1);
});

test.each<[what: string, attempt: (own: Channel) => unknown, text: string, method: string]>([
  [
    'consumed with acknowledgements',
    (own) => own.consume(REPLY_TO, () => {}),
    'reply consumer cannot acknowledge',
    '60.20',
  ],
  [
    'consumed twice on one channel',
    async (own) => {
      await own.consume(REPLY_TO, () => {}, { noAck: true });
      await own.consume(REPLY_TO, () => {}, { noAck: true });
    },
    'reply consumer already set',
    '60.20',
  ],
  [
    'given as address by who does not consume it',
    (own) => own.publish('', 'nowhere', Buffer.from('?'), { replyTo: REPLY_TO }),
    'fast reply consumer does not exist',
    '60.40',
  ],
])('it is not to be %s', async (_what, attempt, text, method) => {
  expect(await refusal(await channel(await startBroker()), attempt)).toEqual({
    code: 406,
    text: `PRECONDITION_FAILED - ${text}`,
    method,
  });
});
