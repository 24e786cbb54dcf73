import type { Principal } from '../../../broker/index.ts';
import { authorized } from '../authorization/index.ts';
import type { Decoded, Fields } from '../codec/schema.ts';
import type { Answer, Handler, RequestContext } from '../handler.ts';
import { GROUP_RULES } from './groups.ts';
import { type AuditRule, actOf } from './rule.ts';
import { SECURITY_RULES } from './security.ts';
import { TOPIC_RULES } from './topics.ts';

/** Which requests are administrative acts, by API key. */
export const AUDIT_RULES: ReadonlyMap<number, AuditRule> = new Map(
  [...TOPIC_RULES, ...SECURITY_RULES, ...GROUP_RULES].map((rule) => [rule.api.key, rule]),
);

/** Handles a request as far as the client may make it, and records what it did where that is an administrative act. */
export function audited(
  handler: Handler,
  request: Decoded<Fields>,
  context: RequestContext,
): Answer<Fields> | Promise<Answer<Fields>> {
  const rule = AUDIT_RULES.get(handler.api.key);
  if (rule === undefined) return authorized(handler, request, context);
  const record = (response: Answer<Fields>) => {
    recordActs(rule, request, response, context);
    return response;
  };
  const response = authorized(handler, request, context);
  return response instanceof Promise ? response.then(record) : record(response);
}

function recordActs(rule: AuditRule, request: unknown, response: unknown, context: RequestContext): void {
  if (response === undefined) return;
  const { broker, authentication, clientHost } = context;
  const principal: Principal = { protocol: 'kafka', user: authentication.name, address: clientHost };
  for (const told of rule.acts(request, response, context)) {
    const act = actOf(told);
    if (act !== undefined) broker.audit.record(principal, act);
  }
}
