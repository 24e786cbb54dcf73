import type { ComponentType } from 'preact';
import type { Tag } from './api/session.ts';
import type { IconName } from './kit/icon.tsx';
import { groupWords, navigationWords } from './words/navigation.ts';

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
];
