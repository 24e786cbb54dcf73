import type { Channel, ChannelModel } from 'amqplib';

/** Why a broker closed a channel or a connection. */
export interface Refusal {
  readonly code: number;
  readonly text: string;
  /** Class and method that it refused, as in `50.10`; amqplib tells them of a channel only. */
  readonly method: string | undefined;
}

interface CloseError extends Error {
  readonly code: number;
  readonly classId?: number;
  readonly methodId?: number;
}

/** Does what is to be refused, and waits until the broker has closed the channel for it. */
export async function refusal<T extends Channel>(channel: T, attempt: (channel: T) => unknown): Promise<Refusal> {
  const refused = closedByBroker(channel);
  // The answer that does not come is told of twice.
  await Promise.resolve(attempt(channel)).catch(() => {});
  return refused;
}

/** Resolves when the broker closes the channel, or the connection, with an error. */
export function closedByBroker(closed: Channel | ChannelModel): Promise<Refusal> {
  return new Promise((resolve) => {
    closed.on('error', (error: Error) => {
      const { code, classId, methodId, message } = error as CloseError;
      const text = /with message "(.*)"$/s.exec(message)?.[1] ?? message;
      resolve({ code, text, method: classId === undefined ? undefined : `${classId}.${methodId}` });
    });
  });
}
