import { type ChannelModel, connect } from 'amqplib';

const RECONNECT_MS = 10;

/** A connection of amqplib that knows whether it is closed, and minds nothing else. */
export interface Session {
  readonly connection: ChannelModel;
  closed: boolean;
}

/** Runs session after session with a broker that goes and comes back, until it is over; `url` says where the broker is now. */
export async function sessions(
  url: () => string,
  isOver: () => boolean,
  run: (session: Session) => Promise<void>,
): Promise<void> {
  while (!isOver()) {
    try {
      const connection = await connect(url());
      const session = { connection, closed: false };
      connection.on('error', () => {});
      connection.on('close', () => {
        session.closed = true;
      });
      await run(session);
      if (!session.closed) await connection.close();
    } catch (error) {
      if (!isLoss(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }
}

/** Whether a client says that its broker is gone. */
function isLoss(error: unknown): boolean {
  return /ECONN|EPIPE|clos|ended|hang up/i.test(String(error));
}
