import { method } from '../method-schema.ts';

/** Class 10. RabbitMQ's own: blocked, unblocked, update-secret. */
export const connection = {
  'connection.start': method(10, 10, {
    versionMajor: 'octet',
    versionMinor: 'octet',
    serverProperties: 'table',
    mechanisms: 'long string',
    locales: 'long string',
  }),
  'connection.start-ok': method(10, 11, {
    clientProperties: 'table',
    mechanism: 'short string',
    response: 'bytes',
    locale: 'short string',
  }),
  'connection.secure': method(10, 20, { challenge: 'bytes' }),
  'connection.secure-ok': method(10, 21, { response: 'bytes' }),
  'connection.tune': method(10, 30, { channelMax: 'short', frameMax: 'long', heartbeat: 'short' }),
  'connection.tune-ok': method(10, 31, { channelMax: 'short', frameMax: 'long', heartbeat: 'short' }),
  'connection.open': method(10, 40, {
    virtualHost: 'short string',
    capabilities: 'unused short string',
    insist: 'unused bit',
  }),
  'connection.open-ok': method(10, 41, { knownHosts: 'unused short string' }),
  'connection.close': method(10, 50, {
    replyCode: 'short',
    replyText: 'short string',
    classId: 'short',
    methodId: 'short',
  }),
  'connection.close-ok': method(10, 51, {}),
  'connection.blocked': method(10, 60, { reason: 'short string' }),
  'connection.unblocked': method(10, 61, {}),
  'connection.update-secret': method(10, 70, { newSecret: 'bytes', reason: 'short string' }),
  'connection.update-secret-ok': method(10, 71, {}),
} as const;
