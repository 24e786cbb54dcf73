import { cell } from '../listing.ts';
import { rateText } from '../management/rates.ts';
import { type Cell, size } from '../output.ts';

/** What one of the views lists. */
export interface View {
  readonly name: string;
  /** Of the API. */
  readonly path: string;
  /** What tells an item from the others, and does not change. */
  readonly identity: readonly string[];
  readonly columns: readonly TopColumn[];
  /** The column that it is sorted by at first. */
  readonly sort: number;
}

export interface TopColumn {
  readonly heading: string;
  readonly path: string;
  readonly numeric: boolean;
  /** Where the API does not have it: what this number has grown by, a second, since the poll before. */
  readonly growthOf?: string;
  readonly show?: (value: unknown) => Cell;
}

function text(heading: string, path: string): TopColumn {
  return { heading, path, numeric: false };
}

function count(heading: string, path: string): TopColumn {
  return { heading, path, numeric: true };
}

function bytes(heading: string, path: string): TopColumn {
  return { ...count(heading, path), show: (value) => (typeof value === 'number' ? size(value) : '-') };
}

function rate(heading: string, path: string, growthOf?: string): TopColumn {
  const show = (value: unknown) => (typeof value === 'number' ? signed(value) : '-');
  return { ...count(heading, path), show, ...(growthOf !== undefined && { growthOf }) };
}

function byteRate(heading: string, path: string, growthOf: string): TopColumn {
  return { ...bytes(heading, path), growthOf };
}

function signed(perSecond: number): string {
  return perSecond < 0 ? `-${rateText(-perSecond)}` : rateText(perSecond);
}

export const VIEWS: readonly View[] = [
  {
    ...{ name: 'queues', path: '/queues', identity: ['vhost', 'name'], sort: 5 },
    columns: [
      text('name', 'name'),
      text('vhost', 'vhost'),
      text('type', 'type'),
      count('ready', 'messages_ready'),
      count('unacked', 'messages_unacknowledged'),
      count('messages', 'messages'),
      rate('growth/s', 'messages_details.rate', 'messages'),
      rate('in/s', 'message_stats.publish_details.rate'),
      rate('out/s', 'message_stats.deliver_get_details.rate'),
      rate('acked/s', 'message_stats.ack_details.rate'),
      count('consumers', 'consumers'),
    ],
  },
  {
    ...{ name: 'streams', path: '/streams', identity: ['name'], sort: 2 },
    columns: [
      text('name', 'name'),
      count('partitions', 'partitions'),
      count('records', 'records'),
      bytes('size', 'bytes'),
      rate('in/s', 'message_stats.publish_details.rate', 'records'),
      text('cleanup', 'cleanup_policy'),
    ],
  },
  {
    ...{ name: 'groups', path: '/groups', identity: ['name'], sort: 4 },
    columns: [
      text('name', 'name'),
      text('type', 'type'),
      text('state', 'state'),
      count('members', 'members'),
      count('lag', 'lag'),
      rate('growth/s', 'lag_details.rate', 'lag'),
      count('streams', 'streams'),
    ],
  },
  {
    ...{ name: 'connections', path: '/connections', identity: ['name'], sort: 5 },
    columns: [
      text('name', 'name'),
      text('user', 'user'),
      text('protocol', 'protocol'),
      text('state', 'state'),
      count('channels', 'channels'),
      byteRate('in B/s', 'recv_oct_details.rate', 'recv_oct'),
      byteRate('out B/s', 'send_oct_details.rate', 'send_oct'),
      text('client', 'user_provided_name'),
    ],
  },
];

/** A value as it stands on the screen. */
export function shown({ show = cell }: TopColumn, value: unknown): string {
  return String(show(value));
}
