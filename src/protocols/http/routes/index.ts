import { openApiDocument } from '../openapi.ts';
import { get, type Route } from '../route.ts';
import { auditRoutes } from './audit.ts';
import { bindingRoutes } from './bindings.ts';
import { clientRoutes } from './clients.ts';
import { definitionRoutes } from './definitions.ts';
import { exchangeRoutes } from './exchanges.ts';
import { groupResetRoutes } from './group-reset.ts';
import { groupRoutes } from './groups.ts';
import { healthRoutes, probeRoutes } from './health.ts';
import { messageRoutes } from './messages.ts';
import { nodeRoutes } from './nodes.ts';
import { overviewRoutes } from './overview.ts';
import { permissionRoutes } from './permissions.ts';
import { absentRoutes, policyRoutes } from './policies.ts';
import { queueRoutes } from './queues.ts';
import { sessionRoutes } from './sessions.ts';
import { streamMessageRoutes } from './stream-messages.ts';
import { streamTailRoutes } from './stream-tail.ts';
import { streamRoutes } from './streams.ts';
import { transactionRoutes } from './transactions.ts';
import { userRoutes } from './users.ts';
import { virtualHostRoutes } from './virtual-hosts.ts';

const API: readonly Route[] = [
  ...overviewRoutes,
  ...sessionRoutes,
  ...auditRoutes,
  ...nodeRoutes,
  ...virtualHostRoutes,
  ...userRoutes,
  ...permissionRoutes,
  ...clientRoutes,
  ...exchangeRoutes,
  ...queueRoutes,
  ...bindingRoutes,
  ...messageRoutes,
  ...streamRoutes,
  ...streamMessageRoutes,
  ...streamTailRoutes,
  ...groupRoutes,
  ...groupResetRoutes,
  ...transactionRoutes,
  ...policyRoutes,
  ...absentRoutes,
  ...definitionRoutes,
  ...healthRoutes,
];

const OPEN_API = get('/openapi.json', { access: 'open', summary: 'All of this, for programs' }, ({ server }) =>
  openApiDocument(ROUTES, `${server.product} HTTP API`, server.version),
);

/** Everything that can be asked for. */
export const ROUTES: readonly Route[] = [
  ...probeRoutes,
  ...[OPEN_API, ...API].map((route) => ({ ...route, path: `/api${route.path}` })),
];
