import type { Act } from '../../../broker/index.ts';
import type { Api } from '../codec/api.ts';
import { KafkaError } from '../codec/error-codes.ts';
import type { Decoded, Fields, Input } from '../codec/schema.ts';
import type { RequestContext } from '../handler.ts';

/** An act as a request and its answer tell it: the answer's error says how it went. */
export interface Told extends Pick<Act, 'act' | 'object' | 'details'> {
  readonly errorCode: number;
  readonly errorMessage?: string | null | undefined;
}

/** What one API's requests are in the audit log. */
export interface AuditRule {
  readonly api: Api;
  readonly acts: (request: unknown, response: unknown, context: RequestContext) => Iterable<Told>;
}

export function auditRule<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  acts: (request: Decoded<Request>, response: Input<Response>, context: RequestContext) => Iterable<Told>,
): AuditRule {
  // The table's type is that of all of them: it is looked up by the API that the request is decoded by.
  return { api, acts } as unknown as AuditRule;
}

const REFUSED: ReadonlySet<number> = new Set([
  KafkaError.TOPIC_AUTHORIZATION_FAILED,
  KafkaError.GROUP_AUTHORIZATION_FAILED,
  KafkaError.CLUSTER_AUTHORIZATION_FAILED,
  KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
]);

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(KafkaError).map(([name, code]) => [code, name]));

/** Undefined for what was as it was asked for already: programs make at each start the topics that they need. */
export function actOf({ errorCode, errorMessage, ...act }: Told): Act | undefined {
  if (errorCode === KafkaError.NONE) return { ...act, outcome: 'done' };
  if (errorCode === KafkaError.TOPIC_ALREADY_EXISTS) return undefined;
  const reason = errorMessage ?? NAMES.get(errorCode) ?? `error ${errorCode}`;
  return { ...act, outcome: REFUSED.has(errorCode) ? 'refused' : 'failed', reason };
}

/** The first error that there is. */
export function firstError(results: Iterable<{ readonly errorCode: number }>): number {
  for (const { errorCode } of results) if (errorCode !== KafkaError.NONE) return errorCode;
  return KafkaError.NONE;
}
