import { z } from 'zod';
import {
  type ExchangeEntry,
  encodeProperties,
  MessageBytes,
  Permissions,
  type Properties,
  type Turn,
  tableOf,
} from '../../broker/index.ts';
import { fields } from './body-types.ts';
import { badRequest, HttpError } from './errors.ts';
import { participantOf } from './participant.ts';
import { PROTOCOL } from './protocol.ts';
import type { Call } from './route.ts';

/** Ten years, as for AMQP's clients. */
const MAX_EXPIRATION_MS = 315_360_000_000;

/** Of a message, under RabbitMQ's names. */
export const messageProperties = z.object({
  content_type: z.string().optional(),
  content_encoding: z.string().optional(),
  headers: fields().optional(),
  delivery_mode: z.int().min(0).max(255).optional(),
  priority: z.int().min(0).max(255).optional(),
  correlation_id: z.string().optional(),
  reply_to: z.string().optional(),
  expiration: z.string().optional(),
  message_id: z.string().optional(),
  timestamp: z.int().min(0).optional(),
  type: z.string().optional(),
  user_id: z.string().optional(),
  app_id: z.string().optional(),
  cluster_id: z.string().optional(),
});

export type MessageProperties = z.output<typeof messageProperties>;

/** Publishes messages of one request to an exchange: all of them are safe, or none are known to be, at the same time. */
export class Publisher {
  readonly #call: Call;
  readonly #exchange: Pick<ExchangeEntry, 'name' | 'type'>;
  readonly #permissions: Permissions;
  /** Those that its messages are in: one, unless somebody else ended it in between. */
  readonly #turns = new Set<Turn>();
  #count = 0;

  /** Throws 401 when the user may not publish there, 503 while publishers have to wait. */
  constructor(call: Call, exchange: Pick<ExchangeEntry, 'name' | 'type'>) {
    this.#call = call;
    this.#exchange = exchange;
    this.#permissions = new Permissions(call.user, call.host.name);
    this.#permissions.check('write', 'exchange', exchange.name);
    if (call.broker.turns.overloaded)
      throw new HttpError(503, 'service_unavailable', 'publishers wait for memory or for the disk: try again later');
  }

  /** Answers whether it was routed anywhere. Throws what is wrong with it, with nothing published. */
  publish(routingKey: string, given: MessageProperties, body: Buffer): boolean {
    const { broker, host, user } = this.#call;
    const { headers, ...others } = given;
    for (const key of [routingKey, ...extraKeys(headers)]) this.#permissions.checkTopic('write', this.#exchange, key);
    checkProperties(given, user);
    const encoded = encodeProperties({
      ...Object.fromEntries(Object.entries(others).map(([name, value]) => [camelCase(name), value])),
      ...(headers && { headers: tableOf(headers) }),
    } as Properties);
    const message = MessageBytes.of(this.#exchange.name, routingKey, encoded, body);
    const turn = broker.turns.current;
    this.#turns.add(turn);
    const participant = participantOf(this.#call);
    const { routed, refused } = host.publish(turn, this.#exchange.name, message, participant);
    const { messages } = broker.meters.protocol(PROTOCOL);
    messages.published++;
    messages.bytesIn += body.length;
    this.#count++;
    if (refused) throw badRequest('Unable to publish message. Check queue limits.');
    return routed;
  }

  /** Resolves when all that was published is safe. To be called in the same turn of the event loop. */
  async settled(): Promise<void> {
    const { meters, environment } = this.#call.broker;
    const begun = environment.clock.monotonic();
    await Promise.all(
      Array.from(
        this.#turns,
        (turn) =>
          new Promise<void>((resolve, reject) => {
            turn.wait({ turnSettled: (_, error) => (error === undefined ? resolve() : reject(error)) });
          }),
      ),
    );
    const { messages, confirmTime } = meters.protocol(PROTOCOL);
    messages.confirmed += this.#count;
    this.#call.host.messageCounts.confirmed += this.#count;
    confirmTime.observe(environment.clock.monotonic() - begun, this.#count);
  }
}

/** The further routing keys of a message. */
function extraKeys(headers: Readonly<Record<string, unknown>> = {}): string[] {
  return [headers['CC'], headers['BCC']].flat().filter((key) => typeof key === 'string');
}

function checkProperties(
  { expiration, user_id: userId }: MessageProperties,
  user: { readonly name: string; readonly tags: readonly string[] },
): void {
  if (expiration !== undefined && !(/^\d{1,12}$/.test(expiration) && Number(expiration) <= MAX_EXPIRATION_MS))
    throw badRequest(`406 PRECONDITION_FAILED - invalid expiration '${expiration}'`);
  if (userId !== undefined && userId !== user.name && !user.tags.includes('impersonator'))
    throw badRequest(
      `406 PRECONDITION_FAILED - user_id property set to '${userId}' but authenticated user was '${user.name}'`,
    );
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
