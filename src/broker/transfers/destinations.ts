import {
  array,
  changeProperties,
  decodeProperties,
  type FieldTable,
  longString,
  MessageBytes,
} from '../messages/index.ts';
import type { Turn } from '../queues/turn.ts';
import type { Route } from '../routing/route.ts';
import { type DeathTrail, deathTrail, TRAIL_HEADERS } from '../virtual-hosts/death-trail.ts';
import type { Destination } from '../virtual-hosts/destination.ts';
import type { PublishPlan } from '../virtual-hosts/publisher.ts';
import type { SkipReason } from './transfer.ts';

/** Where messages are to go. */
export type TransferDestination =
  /** Into a queue or a stream: with the exchange and the routing key that they have. */
  | { readonly to: 'queue'; readonly queue: string }
  /** As if published there; with the routing key that they have, unless there is another. */
  | { readonly to: 'exchange'; readonly exchange: string; readonly routingKey: string | undefined }
  /** Dead letters: to the queue that they died in last, or first. */
  | { readonly to: 'source' | 'first-source' }
  /** Dead letters: to the exchange, with the routing keys, that they were published with before they died first. */
  | { readonly to: 'publication' };

/** The virtual host, as far as messages move in it. */
export interface TransferHost {
  /** Undefined when there is no such queue. */
  routeToQueue(name: string): Route<Destination> | undefined;
  plan(exchange: string, message: MessageBytes): PublishPlan;
  publishMoved(turn: Turn, plan: PublishPlan): void;
}

export interface DestinationsOptions {
  readonly host: TransferHost;
  readonly destination: TransferDestination;
  /** Dead letters lose what says how they died. */
  readonly dropsTrail: boolean;
  /** Whether the user may publish there. */
  readonly mayPublish: (exchange: string, routingKeys: readonly string[]) => boolean;
  /** Whether there is such an exchange; the default one has no name. */
  readonly hasExchange: (name: string) => boolean;
}

/** Finds out where single messages go. */
export class Destinations {
  readonly #options: DestinationsOptions;

  constructor(options: DestinationsOptions) {
    this.#options = options;
  }

  of(message: MessageBytes): PublishPlan | SkipReason {
    const { destination, dropsTrail } = this.#options;
    switch (destination.to) {
      case 'queue':
        return this.#toQueue(destination.queue, message);
      case 'exchange': {
        const { exchange, routingKey = message.routingKey } = destination;
        return this.#toExchange(exchange, [routingKey], message, undefined);
      }
      default: {
        const trail = deathTrail(message);
        if (trail === undefined) return 'no-trail';
        const letter = dropsTrail ? withoutTrail(message) : message;
        if (destination.to === 'publication') return this.#toPublication(trail, letter);
        const queue = destination.to === 'source' ? trail.deaths[0]?.queue : firstDeath(trail)?.queue;
        return queue === undefined ? 'no-source' : this.#toQueue(queue, letter);
      }
    }
  }

  #toQueue(name: string, message: MessageBytes): PublishPlan | SkipReason {
    const { host, mayPublish } = this.#options;
    if (!mayPublish('', [name])) return 'refused';
    const route = host.routeToQueue(name);
    return route === undefined ? 'no-source' : { route, message, delayMs: 0 };
  }

  #toPublication(trail: DeathTrail, letter: MessageBytes): PublishPlan | SkipReason {
    const death = firstDeath(trail);
    if (death === undefined) return 'no-source';
    const [first = '', ...others] = death.routingKeys;
    return this.#toExchange(death.exchange, [first, ...others], letter, others);
  }

  /** `copies` replace the keys in its CC header, where they are given. */
  #toExchange(
    exchange: string,
    keys: readonly string[],
    message: MessageBytes,
    copies: readonly string[] | undefined,
  ): PublishPlan | SkipReason {
    const { host, mayPublish, hasExchange } = this.#options;
    if (exchange !== '' && !hasExchange(exchange)) return 'no-source';
    if (!mayPublish(exchange, keys)) return 'refused';
    const { properties, propertiesStart, propertiesEnd, body, bodyStart, bodyEnd } = message;
    const block =
      copies === undefined || copies.length === 0
        ? properties.subarray(propertiesStart, propertiesEnd)
        : withHeaders(message, (headers) => headers.set('CC', array(copies.map(longString))));
    return host.plan(exchange, MessageBytes.of(exchange, keys[0] ?? '', block, body.subarray(bodyStart, bodyEnd)));
  }
}

/** The entry of the first death; the oldest where it is not told which that is. */
function firstDeath({ deaths, first }: DeathTrail) {
  const named = deaths.findLast(({ queue, reason }) => queue === first?.queue && reason === first.reason);
  return named ?? deaths.at(-1);
}

function withoutTrail(message: MessageBytes): MessageBytes {
  const changed = new MessageBytes();
  Object.assign(changed, message);
  changed.properties = withHeaders(message, (headers) => {
    for (const name of TRAIL_HEADERS) headers.delete(name);
  });
  changed.propertiesStart = 0;
  changed.propertiesEnd = changed.properties.length;
  return changed;
}

type Headers = Map<string, NonNullable<ReturnType<FieldTable['get']>>>;

function withHeaders(message: MessageBytes, change: (headers: Headers) => void): Buffer {
  const { properties, propertiesStart, propertiesEnd } = message;
  const headers: Headers = new Map(decodeProperties(properties, propertiesStart, propertiesEnd).headers ?? []);
  change(headers);
  return changeProperties(properties, propertiesStart, propertiesEnd, {
    headers: headers.size === 0 ? undefined : headers,
  });
}
