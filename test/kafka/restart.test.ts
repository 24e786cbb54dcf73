import { Consumer, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka';
import { expect, it } from 'vitest';
import { kafkajs, startBroker, temporaryDirectory } from './fixture.ts';

it('what was produced before a restart is read after it, by a client that tells the epoch it read in', async () => {
  const directory = await temporaryDirectory();
  const first = await startBroker({ storage: 'disk', directory });
  const producer = kafkajs(first.address).producer();
  await producer.connect();
  // Batches of their own, more than one fetch brings: the second fetch tells the epoch of the first.
  for (let i = 0; i < 20; i++) await producer.send({ topic: 'numbers', messages: [{ value: `${i}` }] });
  await producer.disconnect();
  await first.close();

  const again = await startBroker({ storage: 'disk', directory });
  const consumer = new Consumer({
    clientId: 'c',
    groupId: 'g',
    bootstrapBrokers: [again.address],
    deserializers: stringDeserializers,
    maxBytes: 200,
  });
  const stream = await consumer.consume({ topics: ['numbers'], mode: MessagesStreamModes.EARLIEST, autocommit: false });
  const values: string[] = [];
  for await (const { value } of stream) if (values.push(value) === 20) break;
  await consumer.close(true);
  expect(values).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
});
