import { openApiDocument } from '../openapi.ts';
import { get, type Route } from '../route.ts';
import { auditRoutes } from './audit.ts';
import { backupRoutes } from './backups.ts';
import { bindingRoutes } from './bindings.ts';
import { clientRoutes } from './clients.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { definitionRoutes } from './definitions.ts';
import { delayedRoutes } from './delayed.ts';
import { exchangeRoutes } from './exchanges.ts';
import { groupResetRoutes } from './group-reset.ts';
import { groupRoutes } from './groups.ts';
import { healthRoutes, probeRoutes } from './health.ts';
import { historyRoutes } from './history.ts';
import { kafkaAccessRoutes } from './kafka-access.ts';
import { logRoutes } from './logs.ts';
import { messageRoutes } from './messages.ts';
import { metricsRoutes } from './metrics.ts';
import { nodeRoutes } from './nodes.ts';
import { overviewRoutes } from './overview.ts';
import { permissionRoutes } from './permissions.ts';
import { absentRoutes, policyRoutes } from './policies.ts';
import { produceRoutes } from './produce.ts';
import { queueConsumeRoutes } from './queue-consume.ts';
import { queueMessageRoutes } from './queue-messages.ts';
import { queueRoutes } from './queues.ts';
import { routingRoutes } from './routing.ts';
import { sessionRoutes } from './sessions.ts';
import { settingRoutes } from './settings.ts';
import { streamConsumeRoutes } from './stream-consume.ts';
import { streamMessageRoutes } from './stream-messages.ts';
import { streamTailRoutes } from './stream-tail.ts';
import { streamRoutes } from './streams.ts';
import { supportRoutes } from './support-bundle.ts';
import { traceRoutes } from './traces.ts';
import { transactionRoutes } from './transactions.ts';
import { transferRoutes } from './transfers.ts';
import { userRoutes } from './users.ts';
import { virtualHostRoutes } from './virtual-hosts.ts';

const API: readonly Route[] = [
  ...overviewRoutes,
  ...historyRoutes,
  ...sessionRoutes,
  ...auditRoutes,
  ...logRoutes,
  ...settingRoutes,
  ...supportRoutes,
  ...nodeRoutes,
  ...virtualHostRoutes,
  ...userRoutes,
  ...permissionRoutes,
  ...kafkaAccessRoutes,
  ...clientRoutes,
  ...exchangeRoutes,
  ...queueRoutes,
  ...bindingRoutes,
  ...messageRoutes,
  ...queueMessageRoutes,
  ...transferRoutes,
  ...deadLetterRoutes,
  ...delayedRoutes,
  ...routingRoutes,
  ...streamRoutes,
  ...streamMessageRoutes,
  ...streamTailRoutes,
  ...groupRoutes,
  ...groupResetRoutes,
  ...transactionRoutes,
  ...produceRoutes,
  ...queueConsumeRoutes,
  ...streamConsumeRoutes,
  ...traceRoutes,
  ...policyRoutes,
  ...absentRoutes,
  ...definitionRoutes,
  ...backupRoutes,
  ...healthRoutes,
];

const OPEN_API = get('/openapi.json', { access: 'open', summary: 'All of this, for programs' }, ({ server }) =>
  openApiDocument(ROUTES, `${server.product} HTTP API`, server.version),
);

/** Everything that can be asked for. */
export const ROUTES: readonly Route[] = [
  ...probeRoutes,
  ...metricsRoutes,
  ...[OPEN_API, ...API].map((route) => ({ ...route, path: `/api${route.path}` })),
];
