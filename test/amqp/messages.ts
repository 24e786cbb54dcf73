import type { Channel, ConfirmChannel, ConsumeMessage, GetMessage, Options } from 'amqplib';
import { until } from './fixture.ts';

/** Publishes texts one after the other and waits until all are confirmed. */
export async function publish(
  channel: ConfirmChannel,
  { exchange = '', key, ...options }: { exchange?: string; key: string } & Options.Publish,
  ...bodies: readonly string[]
): Promise<void> {
  for (const body of bodies) channel.publish(exchange, key, Buffer.from(body), options);
  await channel.waitForConfirms();
}

/** Takes a message that must be there; it stays unacknowledged. */
export async function take(channel: Channel, queue: string): Promise<GetMessage> {
  const message = await channel.get(queue);
  if (message === false) throw new Error(`queue '${queue}' is empty`);
  return message;
}

/** Takes everything that is ready in a queue. */
export async function drainMessages(channel: Channel, queue: string): Promise<GetMessage[]> {
  const messages: GetMessage[] = [];
  for (let next = await channel.get(queue, { noAck: true }); next; next = await channel.get(queue, { noAck: true }))
    messages.push(next);
  return messages;
}

/** As `drainMessages`: the bodies as texts. */
export async function drain(channel: Channel, queue: string): Promise<string[]> {
  return (await drainMessages(channel, queue)).map(text);
}

/** Messages ready in a queue. */
export async function ready(channel: Channel, queue: string): Promise<number> {
  return (await channel.checkQueue(queue)).messageCount;
}

export function text({ content }: { readonly content: Buffer }): string {
  return content.toString();
}

/** A consumer that keeps what it gets. */
export class Inbox {
  readonly messages: ConsumeMessage[] = [];
  /** The broker has cancelled it. */
  cancelled = false;
  readonly channel: Channel;
  readonly queue: string;
  consumerTag = '';

  private constructor(channel: Channel, queue: string) {
    this.channel = channel;
    this.queue = queue;
  }

  static async open(channel: Channel, queue: string, options: Options.Consume = {}): Promise<Inbox> {
    const inbox = new Inbox(channel, queue);
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) inbox.cancelled = true;
      else inbox.messages.push(message);
    };
    inbox.consumerTag = (await channel.consume(queue, onMessage, options)).consumerTag;
    return inbox;
  }

  get texts(): string[] {
    return this.messages.map(text);
  }

  /** Waits until so many have come. */
  async received(count: number): Promise<ConsumeMessage[]> {
    await until(() => this.messages.length >= count);
    return this.messages;
  }

  /** Resolves when what the queue had for it before this call has come: the answer to a question about the queue comes behind it. */
  async settled(): Promise<this> {
    await this.channel.checkQueue(this.queue);
    return this;
  }

  /** The message at that place among those that have come. */
  at(index: number): ConsumeMessage {
    const message = this.messages.at(index);
    if (message === undefined) throw new Error(`there is no message ${index}, of ${this.messages.length}`);
    return message;
  }

  cancel(): Promise<unknown> {
    return this.channel.cancel(this.consumerTag);
  }
}
