import { BrokerError } from '../../../errors.ts';
import { apiVersions } from '../codec/apis/api-versions.ts';
import { saslAuthenticate } from '../codec/apis/sasl-authenticate.ts';
import { saslHandshake } from '../codec/apis/sasl-handshake.ts';
import type { Decoded, Fields } from '../codec/schema.ts';
import type { Answer, Handler, RequestContext } from '../handler.ts';
import { ADMIN_RULES } from './admin.ts';
import { GROUP_RULES } from './groups.ts';
import { everybody, type Rule } from './rule.ts';
import { SHARE_GROUP_RULES } from './share-groups.ts';
import { TOPIC_RULES } from './topics.ts';
import { TRANSACTION_RULES } from './transactions.ts';

const all: readonly Rule[] = [
  everybody(apiVersions),
  everybody(saslHandshake),
  everybody(saslAuthenticate),
  ...TOPIC_RULES,
  ...GROUP_RULES,
  ...SHARE_GROUP_RULES,
  ...TRANSACTION_RULES,
  ...ADMIN_RULES,
];

/** Who may make which requests, by API key. Every API that there is a handler for has one. */
export const RULES: ReadonlyMap<number, Rule> = new Map(all.map((rule) => [rule.api.key, rule]));

/** Handles a request as far as the client may make it. */
export function authorized(
  { api, handle }: Handler,
  request: Decoded<Fields>,
  context: RequestContext,
): Answer<Fields> | Promise<Answer<Fields>> {
  if (context.access.isUnlimited) return handle(request, context);
  const rule = RULES.get(api.key);
  // An API that nobody has thought about is nobody's.
  if (rule === undefined) throw new BrokerError('internal', `there is no rule for who may use ${api.name}`);
  return rule.apply(request, context, (allowed) => handle(allowed, context));
}
