import { BrokerError, type ErrorCode, toBrokerError } from '../../errors.ts';

/** What is answered instead of what was asked for, in the form that RabbitMQ's tools know. */
export class HttpError extends Error {
  readonly status: number;
  /** A word for programs: `bad_request`, `not_authorised`. */
  readonly error: string;

  constructor(status: number, error: string, reason: string) {
    super(reason);
    this.status = status;
    this.error = error;
  }
}

/** The client is to come again later. */
export class TooManyRequests extends HttpError {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number, reason: string) {
    super(429, 'too_many_requests', reason);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function badRequest(reason: string): HttpError {
  return new HttpError(400, 'bad_request', reason);
}

/** Of an object in the path. */
export function notFound(): HttpError {
  return new HttpError(404, 'Object Not Found', 'Not Found');
}

/** The user is known, but may not do this. RabbitMQ has 401 for it where others have 403. */
export function notAuthorised(reason: string): HttpError {
  return new HttpError(401, 'not_authorised', reason);
}

type Answer = readonly [status: number, error: string];

const BAD_REQUEST: Answer = [400, 'bad_request'];
const UNAVAILABLE: Answer = [503, 'service_unavailable'];
const CONFLICT: Answer = [409, 'conflict'];
const INTERNAL: Answer = [500, 'internal_error'];

const ANSWERS: Partial<Record<ErrorCode, Answer>> = {
  'invalid-argument': BAD_REQUEST,
  'invalid-configuration': BAD_REQUEST,
  'already-exists': BAD_REQUEST,
  'precondition-failed': BAD_REQUEST,
  'not-allowed': BAD_REQUEST,
  'resource-locked': BAD_REQUEST,
  'limit-exceeded': BAD_REQUEST,
  'message-too-large': BAD_REQUEST,
  unsupported: BAD_REQUEST,
  'not-found': [404, 'not_found'],
  'not-authorized': [401, 'not_authorized'],
  'access-refused': [401, 'not_authorised'],
  'group-not-empty': CONFLICT,
  'group-subscribed-to-topic': CONFLICT,
  'unknown-member': CONFLICT,
  'illegal-generation': CONFLICT,
  'rebalance-in-progress': CONFLICT,
  'stale-member-epoch': CONFLICT,
  'concurrent-transactions': CONFLICT,
  'invalid-transaction-state': CONFLICT,
  'producer-fenced': CONFLICT,
  'coordinator-fenced': CONFLICT,
  'invalid-group': BAD_REQUEST,
  'invalid-record': BAD_REQUEST,
  'invalid-timestamp': BAD_REQUEST,
  'offset-out-of-range': BAD_REQUEST,
  'no-such-transaction': [404, 'not_found'],
  'storage-failed': UNAVAILABLE,
  'storage-full': UNAVAILABLE,
  fenced: UNAVAILABLE,
  closed: UNAVAILABLE,
};

/** What a client is told of an error: of one that is the broker's own, only that there was one. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof BrokerError) {
    const [status, name] = ANSWERS[error.code] ?? INTERNAL;
    if (status !== 500) return new HttpError(status, name, error.message);
  }
  const given = frameworkStatus(error);
  if (given !== undefined) return new HttpError(given, 'bad_request', toBrokerError(error).message);
  return new HttpError(500, 'internal_error', 'the broker could not do it: its log says why');
}

/** Of what fastify itself refuses: a body that is too large, a path that cannot be decoded. */
function frameworkStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined;
  const { statusCode, code } = error;
  if (typeof statusCode !== 'number' || typeof code !== 'string' || !code.startsWith('FST_ERR_')) return undefined;
  return statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
