import type { AclOperation } from '../../../broker/index.ts';
import { CLUSTER_NAME } from '../../../broker/index.ts';
import type { Api } from '../codec/api.ts';
import type { Decoded, Fields } from '../codec/schema.ts';
import type { Answer, Handler, RequestContext } from '../handler.ts';

/** What is done for the part of a request that the client may make. */
type Next<Request extends Fields, Response extends Fields> = Handler<Request, Response>['handle'] extends (
  request: infer R,
  context: RequestContext,
) => infer A
  ? (request: R) => A
  : never;

/**
 * Who may make one API's requests: takes out of a request what the client may not do, lets the handler do the rest, and answers both. Of the
 * handler's answer it takes out what the client may not see.
 */
export interface Rule<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly api: Api<Request, Response>;
  readonly apply: (
    request: Decoded<Request>,
    context: RequestContext,
    next: Next<Request, Response>,
  ) => Answer<Response> | Promise<Answer<Response>>;
}

export function rule<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  apply: Rule<Request, Response>['apply'],
): Rule {
  // The table's type is that of all of them: it is looked up by the API that the request is decoded by.
  return { api, apply } as unknown as Rule;
}

/** An API that everybody may use. */
export function everybody<Request extends Fields, Response extends Fields>(api: Api<Request, Response>): Rule {
  return rule(api, (request, _context, next) => next(request));
}

/** An API about the cluster as a whole: the client may use it, or gets the answer that says that it may not. */
export function clusterRule<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  operation: AclOperation,
  refuse: (request: Decoded<Request>, context: RequestContext) => Answer<Response>,
): Rule {
  return rule(api, (request, context, next) =>
    mayCluster(context, operation) ? next(request) : refuse(request, context),
  );
}

export function mayTopic({ access }: RequestContext, operation: AclOperation, name: string): boolean {
  return access.may(operation, 'topic', name);
}

export function mayGroup({ access }: RequestContext, operation: AclOperation, groupId: string): boolean {
  return access.may(operation, 'group', groupId);
}

export function mayTransaction({ access }: RequestContext, operation: AclOperation, transactionalId: string): boolean {
  return access.may(operation, 'transactional-id', transactionalId);
}

export function mayCluster({ access }: RequestContext, operation: AclOperation): boolean {
  return access.may(operation, 'cluster', CLUSTER_NAME);
}

/** The items that may be gone on with, and the others. */
export function divide<Item>(
  items: readonly Item[],
  may: (item: Item) => boolean,
): readonly [allowed: readonly Item[], refused: readonly Item[]] {
  const allowed: Item[] = [];
  const refused: Item[] = [];
  for (const item of items) (may(item) ? allowed : refused).push(item);
  return [allowed, refused];
}

/** The name of a topic that a request has by its id; undefined when there is none, which is for the handler to say. */
export function nameOfTopic({ broker }: RequestContext, topicId: string): string | undefined {
  return broker.streams.getById(topicId)?.name;
}
