import { whileProgressing } from '../progress.ts';
import { type Stage, stage } from '../stage.ts';
import type { AmqpSession } from './session.ts';

/** Publishes, and waits until all is confirmed and in the queues. */
export async function fill(session: AmqpSession, messages: number): Promise<Stage> {
  const loads = await session.publishLoads({ messages });
  const filled = await stage(session.run.broker, messages, async () => {
    for (const load of loads) load.start();
    const finished = Promise.all(loads.map((load) => load.finished));
    const confirmed = () => loads.reduce((sum, { released }) => sum + released, 0);
    await session.run.orFailed(whileProgressing('messages confirmed', confirmed, finished));
  });
  for (const load of loads) load.close();
  await session.expectWaiting(messages);
  return filled;
}

/** Consumes and acknowledges so many; those that consumers have been given beyond them return to the queues. */
export async function drain(session: AmqpSession, messages: number): Promise<Stage> {
  const budget = { left: messages };
  const done = Promise.withResolvers<void>();
  const loads = await session.consumeLoads({
    budget,
    onConsumed: () => {
      if (budget.left === 0) done.resolve();
    },
  });
  const drained = await stage(session.run.broker, messages, async () => {
    await session.run.orFailed(Promise.all(loads.map((load) => load.start())));
    await session.run.orFailed(whileProgressing('messages left to consume', () => budget.left, done.promise));
  });
  await session.run.orFailed(Promise.all(loads.map((load) => load.finish())));
  for (const load of loads) load.close();
  return drained;
}
