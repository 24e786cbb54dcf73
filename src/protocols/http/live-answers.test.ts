import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { LiveAnswers, type Watch } from './live-answers.ts';

const response = () => new ServerResponse(new IncomingMessage(new Socket()));

/** Is woken by `wake`; says whether it is still watched. */
function watched() {
  let wake = () => {};
  let watching = false;
  const watch: Watch = (callback) => {
    wake = callback;
    watching = true;
    return () => {
      watching = false;
    };
  };
  return {
    watch,
    wake: () => wake(),
    get watching() {
      return watching;
    },
  };
}

it('waits until it is woken, the time is over, the client is gone or the broker closes, and watches no longer', async () => {
  const clock = new VirtualClock(0);
  const live = new LiveAnswers(clock);
  const ends: ((event: ReturnType<typeof watched>, client: ServerResponse) => unknown)[] = [
    (news) => news.wake(),
    () => clock.advance(1000),
    (_, client) => client.emit('close'),
    () => live.close(),
  ];
  for (const end of ends) {
    const [news, client] = [watched(), response()];
    const waiting = live.wait(1000, client, news.watch);
    expect(news.watching).toBe(true);
    await end(news, client);
    await waiting;
    expect(news.watching).toBe(false);
    expect(client.listenerCount('close')).toBe(0);
  }
});

it('does not wait for what is there at once, or no longer', async () => {
  const live = new LiveAnswers(new VirtualClock(0));
  let stopped = 0;
  await live.wait(1000, response(), (wake) => {
    wake();
    return () => stopped++;
  });
  expect(stopped).toBe(1);
  await live.wait(0, response(), () => () => {});
  const gone = response();
  gone.destroy();
  await live.wait(1000, gone, () => () => {});
});

it('refuses the one that is too many', async () => {
  const live = new LiveAnswers(new VirtualClock(0));
  const waiting = Array.from({ length: 1000 }, () => live.wait(1000, response(), () => () => {}));
  await expect(live.wait(1000, response(), () => () => {})).rejects.toMatchObject({ status: 503 });
  live.close();
  await Promise.all(waiting);
});

it('asks every now and then whether whoever listens may go on', async () => {
  const clock = new VirtualClock(0);
  let may = true;
  const client = response();
  const stream = new LiveAnswers(clock).open(client, () => may);
  await clock.advance(60_000);
  expect(stream.ended).toBe(false);
  may = false;
  await clock.advance(15_000);
  expect(stream.ended).toBe(true);
});
