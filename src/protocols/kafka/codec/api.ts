import { Message } from './message.ts';
import type { Decoded, Fields, Input } from './schema.ts';

/** A request and its response, as Kafka numbers and versions them. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number;
  readonly name: string;
  /** First and last version that can be encoded and decoded. */
  readonly versions: readonly [number, number];
  /** The last version to offer to clients: those after it are not yet final in Kafka 4.1. */
  readonly lastStable: number;
  /** First version with compact lengths, tagged fields and the longer headers; Infinity for none. */
  readonly flexible: number;
  readonly request: Message<Request>;
  readonly response: Message<Response>;
}

export interface ApiDefinition<Request extends Fields, Response extends Fields> {
  readonly key: number;
  readonly name: string;
  readonly versions: readonly [number, number];
  readonly lastStable?: number;
  readonly flexible?: number;
  readonly request: Request;
  readonly response: Response;
}

// Each API's file names two of these: `XRequest`, what its handler is given, and `XResponse`, what its handler returns.

/** What a request's decoder returns. */
export type RequestOf<A> = A extends Api<infer F, Fields> ? Decoded<F> : never;

/** What a response's encoder takes. */
export type ResponseInput<A> = A extends Api<Fields, infer F> ? Input<F> : never;

export function api<const Request extends Fields, const Response extends Fields>(
  definition: ApiDefinition<Request, Response>,
): Api<Request, Response> {
  const { key, name, versions, lastStable = versions[1], flexible = Number.POSITIVE_INFINITY } = definition;
  return {
    key,
    name,
    versions,
    lastStable,
    flexible,
    request: new Message(`${name} request`, versions, definition.request, flexible),
    response: new Message(`${name} response`, versions, definition.response, flexible),
  };
}
