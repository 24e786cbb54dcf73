import { z } from 'zod';
import { formatEndpoint, parseEndpoint, SUPPORTED_PROTOCOLS, USUAL_PORTS } from './endpoint.ts';
import { amqpLogin, endpoint, kafkaLogin, listenerSchema, parseListener, tlsSchema } from './listener.ts';

/*
 * Everything that can be set, with what holds when nobody sets it. One schema for the file, the environment, the flags
 * and the page docs/configuration.md. Units are in the names: Ms is milliseconds, Bytes is bytes.
 */

export const STORAGE_KINDS = ['disk', 'memory'] as const;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const MAX_INT32 = 0x7fffffff;

const count = (min = 1, max = Number.MAX_SAFE_INTEGER) => z.int().min(min).max(max);
const bytes = (min: number, max = Number.MAX_SAFE_INTEGER) => count(min, max);
const ms = (min = 0, max = Number.MAX_SAFE_INTEGER) => count(min, max);
/** A section is there when none of its settings is given. */
const section = <T extends z.core.$ZodLooseShape>(shape: T, description: string) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .describe(description);

const storage = section(
  {
    kind: z
      .enum(STORAGE_KINDS)
      .default('disk')
      .describe('Where messages are kept. What is kept in `memory` is gone when the broker stops.'),
    directory: z
      .string()
      .min(1)
      .default('./data')
      .describe('The data directory, of `disk` storage. One broker at a time can use it.'),
    shards: count(1, 64)
      .default(1)
      .describe(
        'Commit logs that the partitions are spread over. More can be added at a later start; fewer are not taken away.',
      ),
    flush: z
      .enum(['always', 'interval', 'os'])
      .default('always')
      .describe(
        'When what was written goes to the disk itself: `always` before it is acknowledged (one flush serves all that wait), every `interval`, or when the operating system sees fit. With the latter two a power loss may cost acknowledged messages, and where the disk failed before it the start may be refused until `sluice repair`.',
      ),
    flushIntervalMs: ms(1)
      .default(SECOND)
      .describe('With `flush: interval`, the longest that acknowledged messages may be at risk.'),
    commitLogFileBytes: bytes(1 * MiB, 1 * GiB)
      .default(64 * MiB)
      .describe('Size from which on the commit log goes on in a new file, and the old one is sorted into segments.'),
    memoryTableBytes: bytes(1 * MiB)
      .default(256 * MiB)
      .describe('Bytes in memory that are in no segment yet, from which on writers wait.'),
    tailCacheBytes: bytes(0)
      .default(32 * MiB)
      .describe('Bytes kept in memory after they went to segments, for readers near the end.'),
    minFreeBytes: bytes(0)
      .default(64 * MiB)
      .describe('With less than this free on the disk, writers are refused; readers are not.'),
  },
  'How and where messages are kept.',
);

const tls = tlsSchema.optional().describe('What `+tls` listeners show.');

const limits = section(
  {
    connections: count()
      .default(10_000)
      .describe('Connections at a time, over all listeners; more are refused. Kafka: `max.connections`.'),
    connectionsPerAddress: count(1, MAX_INT32)
      .default(MAX_INT32)
      .describe('Connections at a time from one address; more are refused. Kafka: `max.connections.per.ip`.'),
    frameBytes: bytes(1 * KiB, MAX_INT32)
      .default(100 * MiB)
      .describe(
        'The largest request; a connection that announces a larger one is closed. Kafka: `socket.request.max.bytes`.',
      ),
    inFlightBytesPerConnection: bytes(1 * KiB)
      .default(128 * MiB)
      .describe(
        'Bytes of requests and answers that one connection may have under way, from which on it is not read from.',
      ),
    connectionIdleMs: ms(1, MAX_INT32)
      .default(600 * SECOND)
      .describe(
        'How long a connection may be silent that waits for nothing, before it is closed. Kafka: `connections.max.idle.ms`.',
      ),
    virtualHosts: count().default(1_000).describe('Virtual hosts. RabbitMQ: `vhost_max`.'),
    queues: count().default(500_000).describe('Queues in all virtual hosts together. RabbitMQ: `cluster_queue_limit`.'),
    exchanges: count()
      .default(500_000)
      .describe(
        'Exchanges in all virtual hosts together, six of them in each from the start. RabbitMQ: `cluster_exchange_limit`.',
      ),
    bindings: count().default(5_000_000).describe('Bindings in all virtual hosts together.'),
    shareGroupPartitions: count()
      .default(100_000)
      .describe('Partitions that share groups have state of, of all groups together.'),
    memoryBytes: bytes(64 * MiB)
      .optional()
      .describe(
        'Bytes of memory in use from which on publishers wait, while consumers go on; six tenths of what the machine (or the container) has unless given. RabbitMQ: `vm_memory_high_watermark`.',
      ),
  },
  'How much clients may ask of the broker.',
);

const topicDefaults = section(
  {
    'cleanup.policy': z
      .enum(['delete', 'compact', 'compact,delete', 'delete,compact'])
      .default('delete')
      .describe('What becomes of old records: delete them, or keep the last one of each key.'),
    'delete.retention.ms': ms()
      .default(DAY)
      .describe('How long compaction keeps tombstones, from when it first met them.'),
    'max.message.bytes': bytes(0, MAX_INT32).default(1_048_588).describe('The largest record batch, as it came.'),
    'message.timestamp.type': z
      .enum(['CreateTime', 'LogAppendTime'])
      .default('CreateTime')
      .describe("Whether the producer's time or the time of appending counts."),
    'min.cleanable.dirty.ratio': z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('The share of a log that was never compacted, in bytes, above which compaction runs.'),
    'min.compaction.lag.ms': ms().default(0).describe('The shortest that a record escapes compaction.'),
    'min.insync.replicas': count(1, MAX_INT32)
      .default(1)
      .describe('Replicas that must have a record before acks=all is answered.'),
    'retention.bytes': count(-1)
      .default(-1)
      .describe('Bytes of a partition from which on its oldest records go; -1 for no limit.'),
    'retention.ms': count(-1)
      .default(7 * DAY)
      .describe('Milliseconds after which records go; -1 for no limit.'),
    'segment.bytes': bytes(14, MAX_INT32).default(GiB).describe('The largest segment.'),
    'segment.ms': ms(1)
      .default(7 * DAY)
      .describe('The longest span of time in one segment.'),
  },
  "What topics have that are not told otherwise, by Kafka's own names.",
);

const groupDefaults = section(
  {
    'errors.deadletterqueue.copy.record.enable': z
      .boolean()
      .default(false)
      .describe('Whether dead letters have key, value and headers of the record, or only say where it is.'),
    'share.auto.offset.reset': z
      .string()
      .regex(/^(earliest|latest|by_duration:P.+)$/, 'give earliest, latest or by_duration: and an ISO 8601 duration')
      .default('latest')
      .describe('Where a group begins in a partition: `earliest`, `latest`, or so long ago: `by_duration:PT1H`.'),
    'share.delivery.count.limit': count(2, MAX_INT32).default(5).describe('How often a record is delivered.'),
    'share.heartbeat.interval.ms': ms(1, MAX_INT32)
      .default(5 * SECOND)
      .describe('How often members come.'),
    'share.isolation.level': z
      .enum(['read_committed', 'read_uncommitted'])
      .default('read_uncommitted')
      .describe('Whether groups get records of transactions before those are committed.'),
    'share.partition.max.record.locks': count(100, MAX_INT32)
      .default(2000)
      .describe('Records of one partition that a group may have in flight.'),
    'share.record.lock.duration.ms': ms(1000, MAX_INT32)
      .default(30 * SECOND)
      .describe("How long a record is one member's."),
    'share.renew.acknowledge.enable': z
      .boolean()
      .default(true)
      .describe('Whether members may have a record for longer.'),
    'share.session.timeout.ms': ms(1, MAX_INT32)
      .default(45 * SECOND)
      .describe('How long members may be silent.'),
  },
  "What share groups have that nothing was set for, by Kafka's own names of groups' settings.",
);

/** What may be set for single groups, at the least and at the most. */
const bounds = (kind: string, name: string, [min, max]: readonly [min: number, max: number], least = 1) => ({
  [`${kind}.min.${name}`]: count(least, MAX_INT32).default(min).describe(`The least \`${kind}.${name}\`.`),
  [`${kind}.max.${name}`]: count(least, MAX_INT32).default(max).describe(`The greatest \`${kind}.${name}\`.`),
});

const groupBounds = section(
  {
    ...bounds('consumer', 'heartbeat.interval.ms', [5 * SECOND, 15 * SECOND]),
    ...bounds('consumer', 'session.timeout.ms', [45 * SECOND, 60 * SECOND]),
    ...bounds('share', 'delivery.count.limit', [2, 10], 2),
    ...bounds('share', 'heartbeat.interval.ms', [5 * SECOND, 15 * SECOND]),
    ...bounds('share', 'partition.max.record.locks', [100, 4000], 100),
    ...bounds('share', 'record.lock.duration.ms', [15 * SECOND, 60 * SECOND], SECOND),
    ...bounds('share', 'session.timeout.ms', [45 * SECOND, 60 * SECOND]),
  },
  "What may be set for single groups while the broker runs, by the names of Kafka's brokers without `group.`; what holds for all groups may be set for each, even beyond.",
);

const kafka = section(
  {
    autoCreateTopics: z
      .boolean()
      .default(true)
      .describe('Whether a topic comes into being when a client that allows it first asks for it.'),
    numPartitions: count(1, 10_000).default(1).describe('Partitions of a topic that is created without a number.'),
    clusterId: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe(
        'What clients are told as the id of the cluster. Without it, one is made up once and kept in the data directory.',
      ),
    brokerId: count(0, MAX_INT32).default(1).describe('What clients are told as the id of the broker.'),
    sasl: kafkaLogin.sasl.default('remote'),
    saslMechanisms: kafkaLogin.saslMechanisms.default(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']),
    maxReauthMs: kafkaLogin.maxReauthMs.default(0),
    principalMappingRules: kafkaLogin.principalMappingRules.default('DEFAULT'),
    authorizer: z
      .enum(['off', 'acl'])
      .default('off')
      .describe(
        'Whether clients are asked what they may do, by access-control lists. Kafka: `authorizer.class.name`, empty or `StandardAuthorizer`.',
      ),
    superUsers: z
      .array(z.string().regex(/^[^:]+:./, 'give principals, as in User:anna'))
      .default([])
      .describe('Principals that may do everything, as `User:anna`: a list. Kafka: `super.users`.'),
    allowEveryoneIfNoAclFound: z
      .boolean()
      .default(false)
      .describe(
        'Whether everybody may do everything with what no access-control entry is about. Kafka: `allow.everyone.if.no.acl.found`.',
      ),
    deadLetterTopicPrefix: z
      .string()
      .max(249)
      .default('dlq.')
      .describe(
        'What the names of topics for dead letters of share groups begin with. Kafka: `errors.deadletterqueue.topic.name.prefix`.',
      ),
    topicDefaults,
    groupDefaults,
    groupBounds,
  },
  'For Kafka clients.',
);

const amqp = section(
  {
    maxMessageBytes: bytes(1, 512 * MiB)
      .default(128 * MiB)
      .describe('The largest body of a message. RabbitMQ: `max_message_size`.'),
    maxFrameBytes: bytes(4 * KiB, 16 * MiB)
      .default(128 * KiB)
      .describe('The largest frame that a connection can agree on. RabbitMQ: `frame_max`.'),
    maxChannels: count(1, 65_535)
      .default(2047)
      .describe('The most channels that a connection can agree on. RabbitMQ: `channel_max`.'),
    maxConsumersPerChannel: count()
      .default(10_000)
      .describe('Consumers of one channel. RabbitMQ: `consumer_max_per_channel`.'),
    maxUnacknowledgedPerChannel: count()
      .default(1_000_000)
      .describe('Messages that one channel may have that it has not acknowledged; it gets no more before it does.'),
    maxTransactionBytes: bytes(1 * KiB)
      .default(128 * MiB)
      .describe('What a transaction of one channel may gather before it is committed.'),
    heartbeatSeconds: count(0, 65_535)
      .default(60)
      .describe('How often clients are asked to say that they are there; 0 for not at all. RabbitMQ: `heartbeat`.'),
    certificateName: amqpLogin.certificateName.default('distinguished-name'),
    product: z
      .string()
      .min(1)
      .max(255)
      .default('Sluice')
      .describe(
        'What clients are told as the name of the broker. Some expect RabbitMQ and go by it: Celery sets its prefetch as RabbitMQ wants it only where this is `RabbitMQ`.',
      ),
    productVersion: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe('What clients are told as its version; its own unless given. To go with `product`.'),
  },
  'For AMQP 0-9-1 clients.',
);

const http = section(
  {
    console: z.boolean().default(true).describe('Whether the web console is served beside the API, at `/`.'),
    maxBodyBytes: bytes(1 * KiB, 512 * MiB)
      .default(20_000_000)
      .describe('The largest body of a request. RabbitMQ: `management.http.max_body_size`.'),
    sessions: count(1, 1_000_000)
      .default(10_000)
      .describe('Sessions of those who logged in by a browser; with more, the longest unused one ends.'),
    sessionIdleMs: ms(1)
      .default(1800 * SECOND)
      .describe('How long a session lasts that nobody uses.'),
    sessionLifetimeMs: ms(1)
      .default(12 * 3600 * SECOND)
      .describe(
        'How long a session lasts, however much it is used. RabbitMQ: `management.login_session_timeout`, in minutes.',
      ),
  },
  'For the HTTP API.',
);

const security = section(
  {
    defaultUser: z
      .string()
      .min(1)
      .max(255)
      .default('guest')
      .describe(
        'The user that the first start makes, with the tag `administrator` and all permissions on the virtual host `/`. None is made when `definitions` has users. RabbitMQ: `default_user`.',
      ),
    defaultPassword: z
      .string()
      .min(1)
      .default('guest')
      .describe("That user's password. It counts at the first start only. RabbitMQ: `default_pass`."),
    loopbackUsers: z
      .array(z.string().min(1))
      .default(['guest'])
      .describe('Users that can connect from this machine only; `none` for nobody. RabbitMQ: `loopback_users`.'),
  },
  'Users.',
);

const audit = section(
  {
    retentionMs: ms(60 * SECOND)
      .default(90 * DAY)
      .describe('How long entries are kept.'),
    retentionBytes: bytes(1 * MiB)
      .default(64 * MiB)
      .describe('Bytes from which on the oldest entries go.'),
  },
  'The log of administrative acts.',
);

const names = (what: string) =>
  z
    .array(z.string().min(1).max(255))
    .default([])
    .describe(`${what}, with \`*\` for any characters: a list. None means all.`);

const tracing = section(
  {
    mode: z
      .enum(['off', 'sampled', 'all'])
      .default('off')
      .describe(
        'Which messages are traced: none, a `sampled` share, or `all`. What is set by the HTTP API while the broker runs takes the place of this section.',
      ),
    sampleShare: z.number().min(0).max(1).default(0.01).describe('With `mode: sampled`, the share: from 0 to 1.'),
    virtualHosts: names('Virtual hosts whose messages are traced'),
    destinations: names('Queues, streams and exchanges whose messages are traced'),
    idHeader: z
      .string()
      .min(1)
      .max(255)
      .default('message-id')
      .describe('The header by which messages are found that have no message-id.'),
    retentionMs: ms(60 * SECOND)
      .default(DAY)
      .describe('How long events of traces are kept.'),
    retentionBytes: bytes(8 * MiB)
      .default(64 * MiB)
      .describe('How much is kept of them.'),
  },
  'What happens to messages, written down: see [Message traces](tracing.md).',
);

const metrics = section(
  {
    sampleMs: ms(1_000, 60 * SECOND)
      .default(5 * SECOND)
      .describe(
        'Between two samples of what is counted, from which rates are. RabbitMQ: `collect_statistics_interval`.',
      ),
    maxObjects: count(0, 100_000)
      .default(1_000)
      .describe(
        'Single queues that rates and histories are kept of, those where something happens; as many exchanges, streams, groups with their topics, connections and channels. Each takes up to 40 KB.',
      ),
    access: z
      .enum(['login', 'loopback', 'open'])
      .default('login')
      .describe(
        'Who may ask for `/metrics`: users with the tag `monitoring`, by basic authentication; besides them anybody on this machine; or anybody at all.',
      ),
    destinations: count(0, 1_000_000)
      .default(20_000)
      .describe(
        'Single queues that `/metrics` tells of, as many streams, exchanges, and groups with their topics; of more, the rest together. 0 for sums only.',
      ),
  },
  'What is measured, and who is told.',
);

const telemetry = section(
  {
    otlp: section(
      {
        endpoint: z
          .string()
          .refine(
            (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''),
            'give a URL, as in http://localhost:4318',
          )
          .optional()
          .describe(
            "Where the broker's own OpenTelemetry spans go, by OTLP over HTTP: the base URL of a collector, as in `http://localhost:4318`. There are none without it. See [Message traces](tracing.md#opentelemetry).",
          ),
        headers: z
          .array(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+=/, 'give NAME=VALUE'))
          .default([])
          .describe('Headers that the collector wants to see: a list of `NAME=VALUE`. They are shown nowhere.'),
        share: z
          .number()
          .min(0)
          .max(1)
          .default(1)
          .describe('Of the traces that clients sample, the share in which the broker has spans: from 0 to 1.'),
        serviceName: z.string().min(1).max(255).default('sluice').describe('What the broker is called in its spans.'),
      },
      'Export of spans.',
    ),
  },
  'What the broker tells other systems of itself.',
);

const compaction = section(
  {
    checkMs: ms(1, MAX_INT32)
      .default(15 * SECOND)
      .describe(
        'Between two looks at how much of each compacted topic was never compacted. Kafka: `log.cleaner.backoff.ms`.',
      ),
    mapBytes: bytes(64 * KiB, 1 * GiB)
      .default(64 * MiB)
      .describe(
        'Memory for the keys of the log that is being compacted, 32 bytes for each; with more keys it takes several passes. Kafka: `log.cleaner.dedupe.buffer.size`.',
      ),
    bytesPerSecond: bytes(64 * KiB)
      .default(64 * MiB)
      .describe(
        'Bytes that compaction reads and writes each second, on average, for each shard. Kafka: `log.cleaner.io.max.bytes.per.second`.',
      ),
  },
  'How topics with `cleanup.policy: compact` are compacted.',
);

const backup = section(
  {
    directory: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Where the running broker puts backups: sets of them, each in a directory of its own below this one; better on another disk. Without it there are none over the API.',
      ),
    archive: z
      .boolean()
      .default(false)
      .describe(
        'Whether all that is appended is also copied to the set `main`, with the time at which it was durable: then any time since its first backup can be restored.',
      ),
    archiveIntervalMs: ms(1, MAX_INT32)
      .default(SECOND)
      .describe('How far the archive may be behind, and so what the loss of the data directory may cost.'),
    intervalMs: ms(0, MAX_INT32)
      .default(0)
      .describe('Between two backups to the set `main` that are made of themselves, incremental ones; 0 for none.'),
    keep: count(0).default(0).describe('How many backups of the set `main` are left after such a one; 0 for all.'),
    maxKeptBytes: bytes(1 * MiB)
      .default(4 * GiB)
      .describe(
        'Bytes on the disk of the data that a backup, or the archive, may keep from being freed. With more the backup is given up, and the archive has a gap.',
      ),
    bytesPerSecond: bytes(64 * KiB)
      .default(128 * MiB)
      .describe('Bytes that making or verifying a backup reads or writes each second, on average.'),
  },
  'Backups: see [backup.md](backup.md).',
);

const groups = section(
  {
    initialRebalanceDelayMs: ms(0, MAX_INT32)
      .default(100)
      .describe(
        'How long an empty group waits for more members after the first. Kafka: `group.initial.rebalance.delay.ms`, there 3000.',
      ),
    minSessionTimeoutMs: ms(1, MAX_INT32)
      .default(6 * SECOND)
      .describe('The shortest session time-out that a member may ask for.'),
    maxSessionTimeoutMs: ms(1, MAX_INT32)
      .default(1800 * SECOND)
      .describe('The longest session time-out that a member may ask for.'),
    consumerSessionTimeoutMs: ms(1, MAX_INT32)
      .default(45 * SECOND)
      .describe(
        'How long members of the new group protocol (KIP-848) may be silent. Kafka: `group.consumer.session.timeout.ms`.',
      ),
    consumerHeartbeatIntervalMs: ms(1, MAX_INT32)
      .default(5 * SECOND)
      .describe(
        'How often such members come, and so how soon they learn of a change. Kafka: `group.consumer.heartbeat.interval.ms`.',
      ),
    consumerMigrationPolicy: z
      .enum(['bidirectional', 'upgrade', 'downgrade', 'disabled'])
      .default('bidirectional')
      .describe(
        'Which way groups with members may go between the classic group protocol and the new one: with the first new member that joins (`upgrade`), with the last that leaves (`downgrade`). Kafka: `group.consumer.migration.policy`.',
      ),
    maxSize: count(1, MAX_INT32).default(10_000).describe('Members of one group.'),
    shareMaxSize: count(1, MAX_INT32)
      .default(200)
      .describe('Members of one share group. Kafka: `group.share.max.size`.'),
    offsetsRetentionMs: ms(1)
      .default(7 * DAY)
      .describe('How long the offsets of a group without members are kept.'),
  },
  'Consumer groups.',
);

const transactions = section(
  {
    maxTimeoutMs: ms(1, MAX_INT32)
      .default(900 * SECOND)
      .describe(
        'The longest time-out of transactions that a producer may ask for. Kafka: `transaction.max.timeout.ms`.',
      ),
    timeoutCheckMs: ms(1, MAX_INT32)
      .default(SECOND)
      .describe(
        'How often it is looked which transactions have taken too long; they are aborted. Kafka: `transaction.abort.timed.out.transaction.cleanup.interval.ms`, there 10000.',
      ),
    idExpirationMs: ms(1)
      .default(7 * DAY)
      .describe('How long a transactional id is remembered that nobody uses. Kafka: `transactional.id.expiration.ms`.'),
    expirationCheckMs: ms(1, MAX_INT32)
      .default(3600 * SECOND)
      .describe(
        'How often it is looked which those are. Kafka: `transaction.remove.expired.transaction.cleanup.interval.ms`.',
      ),
    maxTransactionalIds: count(1, 10_000_000)
      .default(100_000)
      .describe('Transactional ids that each shard remembers; producers with others are refused.'),
    maxParticipants: count(1, 10_000_000)
      .default(1_000_000)
      .describe('Partitions and groups of all open transactions of the transactional ids of a shard.'),
  },
  "Kafka's transactions.",
);

export const settingsSchema = z
  .strictObject({
    listeners: z
      .array(listenerSchema)
      .min(1)
      .default(
        SUPPORTED_PROTOCOLS.map((protocol) =>
          formatEndpoint({ protocol, tls: false, host: '127.0.0.1', port: USUAL_PORTS[protocol] }),
        ),
      )
      .describe(
        'Where to listen: a list of `PROTO://HOST:PORT`, or `PROTO+tls://HOST:PORT` for TLS. Port 0 takes a free one. In the file, one may have settings of its own: see [below](#listeners).',
      ),
    advertise: z
      .array(
        endpoint(({ port }) =>
          port === 0 ? 'clients cannot connect to port 0: give the port they are to use' : undefined,
        ),
      )
      .default([])
      .describe(
        'What clients are told to connect to, for listeners that they reach by another name: a list of `PROTO://HOST:PORT`, one per protocol.',
      ),
    definitions: z
      .string()
      .min(1)
      .optional()
      .describe(
        "A file of RabbitMQ's definitions (JSON: users, permissions, virtual hosts, queues, exchanges, bindings, policies), imported at every start. RabbitMQ: `load_definitions`.",
      ),
    tls,
    security,
    audit,
    storage,
    limits,
    kafka,
    amqp,
    http,
    groups,
    transactions,
    compaction,
    backup,
    metrics,
    tracing,
    telemetry,
    logLevel: z.enum(LOG_LEVELS).default('info').describe('The least severe messages that are logged.'),
  })
  .superRefine(({ listeners, advertise, tls, groups, kafka, backup, storage }, context) => {
    const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const known = new Set<string>();
    for (const [index, listener] of listeners.entries()) {
      const { endpoint, tls: own } = parseListener(listener);
      known.add(endpoint.protocol);
      const { cert, key } = { ...tls, ...own };
      if (endpoint.tls && (cert === undefined || key === undefined)) {
        refuse(['listeners', index], `'${formatEndpoint(endpoint)}' needs a certificate: set tls.cert and tls.key`);
      }
    }
    for (const [index, text] of advertise.entries()) {
      if (known.has(parseEndpoint(text).protocol)) continue;
      refuse(['advertise', index], `no listener speaks the protocol of '${text}': add one to listeners`);
    }
    if ((backup.archive || backup.intervalMs > 0) && backup.directory === undefined)
      refuse(['backup', 'directory'], 'what is archived, or backed up from time to time, needs a directory: set it');
    if (backup.archive && storage.kind === 'memory')
      refuse(['backup', 'archive'], 'what is kept in memory cannot be archived: set storage.kind to disk');
    if (groups.consumerHeartbeatIntervalMs >= groups.consumerSessionTimeoutMs) {
      refuse(
        ['groups', 'consumerHeartbeatIntervalMs'],
        `it is not below groups.consumerSessionTimeoutMs (${groups.consumerSessionTimeoutMs}): lower it`,
      );
    }
    if (groups.minSessionTimeoutMs > groups.maxSessionTimeoutMs) {
      refuse(
        ['groups', 'minSessionTimeoutMs'],
        `it is above groups.maxSessionTimeoutMs (${groups.maxSessionTimeoutMs}): lower it`,
      );
    }
    for (const [name, least] of Object.entries(kafka.groupBounds)) {
      const other = name.replace('.min.', '.max.');
      const greatest = kafka.groupBounds[other] ?? least;
      if (least <= greatest || other === name) continue;
      refuse(['kafka', 'groupBounds', name], `it is above kafka.groupBounds.${other} (${greatest}): lower it`);
    }
  });

/** All settings, checked and complete. */
export type Settings = z.output<typeof settingsSchema>;

/** What a file or a caller may give: any part of the settings. */
export type SettingsInput = z.input<typeof settingsSchema>;
