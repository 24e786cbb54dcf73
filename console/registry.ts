import type { ComponentType } from 'preact';
import type { Tag } from './api/session.ts';
import type { IconName } from './kit/icon.tsx';
import { hostWords, kafkaAccessWords, operationWords, userWords } from './words/administration.ts';
import { groupWords, navigationWords } from './words/navigation.ts';
import { deadLetterWords, delayedWords, exchangeWords, queueWords, routeWords } from './words/queues.ts';
import { traceWords } from './words/traces.ts';

export type Parameters = Readonly<Record<string, string>>;
/** What a page is given: the values of `:name` in its path. */
export interface PageParameters {
  readonly params: Parameters;
}

export interface PageEntry {
  /** With `:name` for what varies. */
  readonly path: string;
  /** In the navigation and in the browser's tab while the page comes. */
  readonly title: () => string;
  /** Without one the page is not in the navigation. */
  readonly group?: Group;
  readonly icon?: IconName;
  /** Whose page it is: others are not shown it in the navigation, and are told why when they come by a link. */
  readonly tag?: Tag;
  /** The page's code, which comes when it is first opened. */
  readonly load: () => Promise<ComponentType<PageParameters>>;
}

/** Groups of the navigation, in its order. */
export const GROUPS = ['broker', 'streams', 'queues', 'messages', 'clients', 'administration'] as const;
export type Group = (typeof GROUPS)[number];

export function groupTitle(group: Group): string {
  return groupWords[group];
}

/** Every page, in the order of the navigation within its group. The first one is what `/` shows. */
export const PAGES: readonly PageEntry[] = [
  {
    ...{ path: '/overview', group: 'broker', icon: 'overview', title: () => navigationWords.overview },
    load: () => import('./pages/overview.tsx').then(({ Overview }) => Overview),
  },
  {
    ...{ path: '/queues', group: 'queues', icon: 'queue', title: () => queueWords.queues },
    load: () => import('./pages/queues.tsx').then(({ Queues }) => Queues),
  },
  {
    ...{ path: '/queues/:vhost/:queue', title: () => queueWords.queue },
    load: () => import('./pages/queue.tsx').then(({ Queue }) => Queue),
  },
  {
    ...{ path: '/exchanges', group: 'queues', icon: 'exchange', title: () => exchangeWords.exchanges },
    load: () => import('./pages/exchanges.tsx').then(({ Exchanges }) => Exchanges),
  },
  {
    ...{ path: '/exchanges/:vhost/:exchange', title: () => exchangeWords.exchange },
    load: () => import('./pages/exchange.tsx').then(({ Exchange }) => Exchange),
  },
  {
    ...{ path: '/graph', group: 'queues', icon: 'graph', title: () => routeWords.graph },
    load: () => import('./pages/graph.tsx').then(({ RoutingGraph }) => RoutingGraph),
  },
  {
    ...{ path: '/dead-letters', group: 'messages', icon: 'deadLetter', title: () => deadLetterWords.title },
    load: () => import('./pages/dead-letters.tsx').then(({ DeadLetters }) => DeadLetters),
  },
  {
    ...{ path: '/dead-letters/:vhost/:queue', title: () => deadLetterWords.title },
    load: () => import('./pages/dead-letter-queue.tsx').then(({ DeadLetterQueue }) => DeadLetterQueue),
  },
  {
    ...{ path: '/delayed', group: 'messages', icon: 'clock', title: () => delayedWords.title },
    load: () => import('./pages/delayed.tsx').then(({ Delayed }) => Delayed),
  },
  {
    ...{ path: '/traces', group: 'messages', icon: 'trace', title: () => traceWords.title },
    load: () => import('./pages/traces.tsx').then(({ Traces }) => Traces),
  },
  {
    ...{ path: '/traces/:trace', title: () => traceWords.trace },
    load: () => import('./pages/trace.tsx').then(({ Trace }) => Trace),
  },
  {
    ...{ path: '/streams', group: 'streams', icon: 'stream', title: () => navigationWords.streams },
    load: () => import('./pages/streams.tsx').then(({ Streams }) => Streams),
  },
  {
    ...{ path: '/streams/:stream', title: () => navigationWords.stream },
    load: () => import('./pages/stream.tsx').then(({ Stream }) => Stream),
  },
  {
    ...{ path: '/groups', group: 'streams', icon: 'group', title: () => navigationWords.groups },
    load: () => import('./pages/groups.tsx').then(({ Groups }) => Groups),
  },
  {
    ...{ path: '/groups/:group', title: () => navigationWords.group },
    load: () => import('./pages/group.tsx').then(({ Group }) => Group),
  },
  {
    ...{ path: '/transactions', group: 'streams', icon: 'transaction', title: () => navigationWords.transactions },
    load: () => import('./pages/transactions.tsx').then(({ Transactions }) => Transactions),
  },
  {
    ...{ path: '/transactions/:transaction', title: () => navigationWords.transaction },
    load: () => import('./pages/transaction.tsx').then(({ Transaction }) => Transaction),
  },
  {
    ...{ path: '/connections', group: 'clients', icon: 'connection', title: () => navigationWords.connections },
    load: () => import('./pages/connections.tsx').then(({ Connections }) => Connections),
  },
  {
    ...{ path: '/connections/:connection', title: () => navigationWords.connection },
    load: () => import('./pages/connection.tsx').then(({ Connection }) => Connection),
  },
  {
    ...{ path: '/channels', group: 'clients', icon: 'channel', title: () => navigationWords.channels },
    load: () => import('./pages/channels.tsx').then(({ Channels }) => Channels),
  },
  {
    ...{ path: '/channels/:channel', title: () => navigationWords.channel },
    load: () => import('./pages/channel.tsx').then(({ Channel }) => Channel),
  },
  {
    ...{ path: '/users', group: 'administration', icon: 'user', tag: 'administrator', title: () => userWords.users },
    load: () => import('./pages/users.tsx').then(({ Users }) => Users),
  },
  {
    ...{ path: '/users/:user', tag: 'administrator', title: () => userWords.user },
    load: () => import('./pages/user.tsx').then(({ User }) => User),
  },
  {
    ...{ path: '/kafka-access', group: 'administration', icon: 'policy', tag: 'administrator' },
    title: () => kafkaAccessWords.title,
    load: () => import('./pages/kafka-access.tsx').then(({ KafkaAccess }) => KafkaAccess),
  },
  {
    ...{ path: '/vhosts', group: 'administration', icon: 'host', title: () => hostWords.hosts },
    load: () => import('./pages/virtual-hosts.tsx').then(({ VirtualHosts }) => VirtualHosts),
  },
  {
    ...{ path: '/policies', group: 'administration', icon: 'policy', title: () => hostWords.policies },
    load: () => import('./pages/policies.tsx').then(({ Policies }) => Policies),
  },
  {
    ...{ path: '/settings', group: 'administration', icon: 'settings', tag: 'administrator' },
    title: () => operationWords.settings,
    load: () => import('./pages/settings.tsx').then(({ Settings }) => Settings),
  },
  {
    ...{ path: '/logs', group: 'administration', icon: 'log', tag: 'monitoring', title: () => operationWords.logs },
    load: () => import('./pages/logs.tsx').then(({ Logs }) => Logs),
  },
  {
    ...{ path: '/audit', group: 'administration', icon: 'audit', tag: 'administrator' },
    title: () => operationWords.audit,
    load: () => import('./pages/audit.tsx').then(({ Audit }) => Audit),
  },
];
