import { BrokerError } from '../errors.ts';
import { nearest } from './nearest.ts';

/** The schemes that a listener can have, with the port that each one's clients expect. */
export const USUAL_PORTS = {
  kafka: 9092,
  amqp: 5672,
  mqtt: 1883,
  'mqtt-ws': 15675,
  stomp: 61613,
  'stomp-ws': 15674,
  'rocketmq-namesrv': 9876,
  rocketmq: 10911,
  'rocketmq-grpc': 8081,
  http: 15672,
} as const;

export type Protocol = keyof typeof USUAL_PORTS;

/** Those that this version speaks: what `listeners` accepts, and what it defaults to. */
export const SUPPORTED_PROTOCOLS: readonly Protocol[] = ['kafka', 'amqp', 'http'];

/** What `listeners` and `advertise` are made of: `PROTO://HOST:PORT` or `PROTO+tls://HOST:PORT`. */
export interface Endpoint {
  readonly protocol: Protocol;
  readonly tls: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

const ENDPOINT = /^([a-z-]+)(\+tls)?:\/\/(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+)):(\d{1,5})\/?$/i;

/** Throws `invalid-configuration`, saying what is wrong and what would be right. */
export function parseEndpoint(text: string): Endpoint {
  const [, scheme, tls, ipv6, name, digits] = ENDPOINT.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (scheme === undefined || host === undefined) {
    throw new BrokerError('invalid-configuration', `'${text}' is not PROTO://HOST:PORT, as in kafka://127.0.0.1:9092`);
  }
  const port = Number(digits);
  if (port > 65535) throw new BrokerError('invalid-configuration', `'${text}' has a port beyond 65535`);
  return { protocol: supported(scheme.toLowerCase()), tls: tls !== undefined, host, port };
}

export function formatEndpoint({ protocol, tls, host, port }: Endpoint): string {
  return `${protocol}${tls ? '+tls' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function supported(scheme: string): Protocol {
  const known = Object.keys(USUAL_PORTS) as Protocol[];
  const protocol = known.find((each) => each === scheme);
  if (protocol !== undefined && SUPPORTED_PROTOCOLS.includes(protocol)) return protocol;
  const what = protocol === undefined ? `'${scheme}' is not a protocol` : `'${scheme}' is not supported yet`;
  const meant = protocol === undefined ? nearest(scheme, known) : undefined;
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
  throw new BrokerError(
    'invalid-configuration',
    `${what}: this version speaks ${SUPPORTED_PROTOCOLS.join(', ')}${hint}`,
  );
}
