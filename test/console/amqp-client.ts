import { type ConfirmChannel, connect } from 'amqplib';
import { onTestFinished } from 'vitest';
import type { ApiBroker } from '../http/fixture.ts';

/** Of a client that is gone with the test. */
export async function channelOf({ sluice }: ApiBroker): Promise<ConfirmChannel> {
  const model = await connect(`amqp://guest:guest@127.0.0.1:${sluice.listeners[1]?.port}`);
  model.on('error', () => {});
  onTestFinished(() => model.close().catch(() => {}));
  return await model.createConfirmChannel();
}

/** Messages that wait in a queue. */
export async function readyIn(channel: ConfirmChannel, queue: string): Promise<number> {
  return (await channel.checkQueue(queue)).messageCount;
}
