import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, type ConfirmChannel, connect, type SocketOptions } from 'amqplib';
import { onTestFinished } from 'vitest';
import { type CreateBrokerOptions, createBroker, type RunningBroker } from '../../src/index.ts';

/**
 * Another broker to hold these tests against, as amqp://USER:PASSWORD@HOST:PORT: with RabbitMQ's address they say whether
 * they are right themselves. Without it each test has a broker of its own in this process.
 */
const PEER = process.env['SLUICE_TEST_AMQP'];

/** Whether the tests run against this project's broker: what restarts it, turns its clock or needs its settings asks. */
export const onSluice = PEER === undefined;

export interface TestBroker {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Lets so many milliseconds pass: by turning the broker's clock (`clock: 'virtual'`), or by waiting where it is not ours to turn. */
  pass(ms: number): Promise<void>;
  /** Undefined on another broker. */
  readonly sluice?: RunningBroker;
}

/** A broker that clients of RabbitMQ connect to; the end of the test closes it. */
export async function startBroker(options: CreateBrokerOptions = {}): Promise<TestBroker> {
  if (PEER !== undefined) return peerAt(PEER);
  const broker = await createBroker({ listeners: ['amqp://127.0.0.1:0'], ...options });
  onTestFinished(() => broker.close());
  return testBroker(broker);
}

/** As `startBroker`, with a clock that stands still until `pass`. */
export function startOnVirtualClock(options: CreateBrokerOptions = {}): Promise<TestBroker> {
  return startBroker({ clock: 'virtual', ...options });
}

function testBroker(sluice: RunningBroker): TestBroker {
  const port = sluice.listeners[0]?.port ?? 0;
  const pass = async (ms: number) => {
    await sluice.idle();
    await sluice.clock.advance(ms);
    await sluice.idle();
  };
  return { url: `amqp://guest:guest@127.0.0.1:${port}`, host: '127.0.0.1', port, pass, sluice };
}

/** Real time is a little longer than was asked for, so that what is due by then has happened. */
const PEER_SLACK_MS = 250;

function peerAt(url: string): TestBroker {
  const { hostname, port } = new URL(url);
  const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms + PEER_SLACK_MS));
  return { url, host: hostname, port: Number(port), pass };
}

/** A name that no other test has: another broker keeps what tests leave behind. */
export function fresh(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`;
}

/** A connection of amqplib that ends with the test. */
export async function connection(broker: TestBroker, query = '', options: SocketOptions = {}): Promise<ChannelModel> {
  const model = await connect(broker.url + query, options);
  // Whoever expects an error waits for it; without a listener, amqplib says the rest on standard error.
  model.on('error', () => {});
  onTestFinished(() => model.close().catch(() => {}));
  return model;
}

/** A channel on a connection of its own. */
export async function channel(broker: TestBroker): Promise<Channel> {
  return watched(await (await connection(broker)).createChannel());
}

/** A channel on a connection of its own, with publisher confirms. */
export async function confirmChannel(broker: TestBroker): Promise<ConfirmChannel> {
  return watched(await (await connection(broker)).createConfirmChannel());
}

/** One more channel on a connection that there is. */
export async function channelOn(model: ChannelModel): Promise<Channel> {
  return watched(await model.createChannel());
}

function watched<T extends Channel>(opened: T): T {
  opened.on('error', () => {});
  return opened;
}

/** Waits until something holds, looking again whenever the event loop has turned. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}
