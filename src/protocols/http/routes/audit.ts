import type { AuditEntry, AuditPage, AuditRecord } from '../../../broker/index.ts';
import { limitOf, numberOf, timeOf } from '../query-values.ts';
import { type Call, getAnswer, ok, type Route } from '../route.ts';
import type { AuditEntryShape, AuditPageShape } from '../shapes/audit.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const FILTERS = ['user', 'act', 'object', 'vhost', 'protocol', 'address', 'outcome'] as const;

type Filter = (typeof FILTERS)[number];

export const auditRoutes: readonly Route[] = [
  getAnswer(
    '/audit',
    { access: 'administrator', summary: 'Who did what to the broker, the newest first' },
    async (call) => {
      const page = await readAudit(call);
      if (call.query('format') !== 'jsonl')
        return ok({ items: page.entries.map(show), next: page.next ?? null } satisfies AuditPageShape);
      const lines = page.entries.map((entry) => `${JSON.stringify(show(entry))}\n`).join('');
      return { status: 200, bytes: Buffer.from(lines), headers: { 'content-type': 'application/x-ndjson' } };
    },
  ),
];

/** What the query asks for. Throws 400. */
function readAudit({ broker, query }: Call): Promise<AuditPage> {
  return broker.audit.read({
    matches: filter((name) => query(name)),
    limit: limitOf(query('limit'), DEFAULT_LIMIT, MAX_LIMIT),
    before: numberOf('before', query('before')),
    since: timeOf('since', query('since')),
    until: timeOf('until', query('until')),
  });
}

/** The newest entries, for those who take some of everything. */
export async function newestAudit({ broker }: Call, limit: number): Promise<AuditEntryShape[]> {
  const { entries } = await broker.audit.read({ matches: () => true, limit });
  return entries.map(show);
}

function filter(query: (name: Filter) => string | undefined): (entry: AuditEntry) => boolean {
  const asked = FILTERS.map((name) => [name, query(name) ?? ''] as const).filter(([, value]) => value !== '');
  return (entry) => asked.every(([name, value]) => fits(entry, name, value));
}

/** Of acts, a beginning: `queue` for all of queues. Of objects, a part. */
function fits(entry: AuditEntry, name: Filter, value: string): boolean {
  switch (name) {
    case 'act':
      return entry.act === value || entry.act.startsWith(`${value}.`);
    case 'object':
      return entry.object.toLowerCase().includes(value.toLowerCase());
    case 'vhost':
      return entry.virtualHost === value;
    default:
      return entry[name] === value;
  }
}

function show(entry: AuditRecord): AuditEntryShape {
  return {
    id: entry.id,
    time: entry.time,
    user: entry.user ?? null,
    address: entry.address ?? null,
    protocol: entry.protocol,
    act: entry.act,
    object: entry.object,
    vhost: entry.virtualHost ?? null,
    outcome: entry.outcome,
    reason: entry.reason ?? null,
    details: entry.details ?? {},
    repeated: entry.repeated ?? 0,
  };
}
