import { z } from 'zod';
import { toBrokerError } from '../errors.ts';
import { type Endpoint, type Protocol, parseEndpoint } from './endpoint.ts';

const MAX_MS = Number.MAX_SAFE_INTEGER;
const HOST_AND_PORT = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+):[1-9]\d{0,4}$/i;

/** An endpoint's text, which also holds what `check` asks of it: what is wrong, or undefined. */
export function endpoint(check: (endpoint: Endpoint) => string | undefined = () => undefined) {
  return z.string().superRefine((text, context) => {
    try {
      const wrong = check(parseEndpoint(text));
      if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
    } catch (error) {
      // What looks at all settings together must find endpoints that are some.
      context.addIssue({ code: 'custom', message: toBrokerError(error).message, continue: false });
    }
  });
}

/** What `+tls` listeners show, and whom they let in. */
export const tlsSchema = z.strictObject({
  cert: z.string().min(1).describe('File of the certificate chain, PEM.'),
  key: z.string().min(1).describe('File of the private key, PEM.'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File of the certificate authorities, PEM. With it, clients must show a certificate that one of them signed.',
    ),
  clientCertificates: z
    .enum(['required', 'optional'])
    .default('required')
    .describe(
      'With `tls.ca`, whether a client may connect without a certificate; one that is shown must be signed in any case. RabbitMQ: `ssl_options.fail_if_no_peer_cert`.',
    ),
});

/** How clients of Kafka log in: for all listeners, or one. */
export const kafkaLogin = {
  sasl: z
    .enum(['off', 'optional', 'remote', 'required'])
    .describe(
      'Who has to log in: everybody (`required`), clients of other machines unless they have shown a certificate (`remote`), who wants to (`optional`), or nobody, and nobody can (`off`).',
    ),
  saslMechanisms: z
    .array(z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']))
    .min(1)
    .describe('The ways to log in: a list. Kafka: `sasl.enabled.mechanisms`.'),
  maxReauthMs: z
    .int()
    .min(0)
    .max(MAX_MS)
    .describe(
      'How long after it logged in a client has to do so again, or is disconnected; 0 for never. Kafka: `connections.max.reauth.ms`.',
    ),
  principalMappingRules: z
    .string()
    .min(1)
    .describe(
      "What the distinguished name in a client's certificate makes of it: `RULE:pattern/replacement/` with `L` or `U` after it for small or capital letters, and `DEFAULT` for the name as it is, with commas between. The first that fits counts; a client that none fits has to log in. Kafka: `ssl.principal.mapping.rules`.",
    ),
};

/** How clients of RabbitMQ log in: for all listeners, or one. */
export const amqpLogin = {
  certificateName: z
    .enum(['distinguished-name', 'common-name'])
    .describe("What of a client's certificate is its user's name, for `EXTERNAL`. RabbitMQ: `ssl_cert_login_from`."),
};

/** What a listener can have of its own, by the protocol that it is about. */
const OF_PROTOCOL: Readonly<Record<string, Protocol>> = {
  advertise: 'kafka',
  ...Object.fromEntries(Object.keys(kafkaLogin).map((name) => [name, 'kafka'])),
  ...Object.fromEntries(Object.keys(amqpLogin).map((name) => [name, 'amqp'])),
};

/** A listener with settings of its own; what it does not say is as for all. Kafka: `listener.name.NAME.…`. */
const ownListener = z
  .strictObject({
    url: endpoint(),
    advertise: z.string().refine((text) => HOST_AND_PORT.test(text), { error: 'give HOST:PORT', abort: true }),
    ...kafkaLogin,
    ...amqpLogin,
    tls: tlsSchema.extend({ clientCertificates: tlsSchema.shape.clientCertificates.unwrap() }).partial(),
  })
  .partial()
  .required({ url: true })
  .superRefine((listener, context) => {
    const { protocol, tls } = parseEndpoint(listener.url);
    for (const name of Object.keys(listener)) {
      const about = OF_PROTOCOL[name];
      if (about !== undefined && about !== protocol)
        context.addIssue({
          code: 'custom',
          path: [name],
          message: `it is for listeners of ${about}, not of ${protocol}`,
        });
    }
    if (listener.tls !== undefined && !tls)
      context.addIssue({
        code: 'custom',
        path: ['tls'],
        message: `'${listener.url}' is without TLS: ${protocol}+tls has it`,
      });
  });

/** An endpoint, or one with settings of its own. */
export const listenerSchema = z.union([endpoint(), ownListener]);

/** The names of what a listener can have of its own. */
export const LISTENER_SETTINGS: readonly string[] = Object.keys(ownListener.shape);

export type ListenerInput = z.input<typeof listenerSchema>;

/** A listener as it is asked for. */
export interface ListenerSettings extends Omit<z.output<typeof ownListener>, 'url' | 'advertise'> {
  readonly endpoint: Endpoint;
  /** What its clients are told to connect to. */
  readonly advertise?: Pick<Endpoint, 'host' | 'port'>;
}

/** Throws `invalid-configuration` for what is no endpoint. */
export function parseListener(listener: ListenerInput): ListenerSettings {
  if (typeof listener === 'string') return { endpoint: parseEndpoint(listener) };
  const { url, advertise, ...own } = listener;
  const endpoint = parseEndpoint(url);
  if (advertise === undefined) return { ...own, endpoint };
  return { ...own, endpoint, advertise: parseEndpoint(`${endpoint.protocol}://${advertise}`) };
}
