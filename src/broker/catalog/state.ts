import type { StateMachine } from '../event-log.ts';
import {
  applyVirtualHostEvent,
  fromVirtualHostSnapshot,
  toVirtualHostSnapshot,
  type VirtualHostEvent,
  type VirtualHostSnapshot,
  type VirtualHostState,
} from './virtual-host-state.ts';

/** Where one log is: its identity, and the shard that it lives in. */
export interface LogPlace {
  readonly logId: string;
  readonly shard: number;
}

/** A stream as the catalog knows it. */
export interface StreamEntry {
  /** A UUID; a stream created again under the same name has another one. */
  readonly id: string;
  readonly name: string;
  /** In order of their index. */
  readonly partitions: readonly LogPlace[];
  /** What was set for it, by name; the rest is default. */
  readonly config: Readonly<Record<string, string>>;
}

/** What can be set while the broker runs, beside what streams have of their own. */
export const CONFIG_KINDS = ['broker', 'group', 'subscription'] as const;
export type ConfigKind = (typeof CONFIG_KINDS)[number];

type Config = Readonly<Record<string, string>>;
type Configs = Readonly<Record<ConfigKind, Map<string, Config>>>;

/** What exists. */
export interface CatalogState {
  /** Names this broker (or group of brokers) to clients; empty before the first start is done. */
  clusterId: string;
  readonly streams: Map<string, StreamEntry>;
  readonly virtualHosts: Map<string, VirtualHostState>;
  /** Where consumer groups keep what they know: a group's place is found by the hash of its name. */
  groupLogs: readonly LogPlace[];
  /** Where transactions do; empty in data of the time before there were any. */
  transactionLogs: readonly LogPlace[];
  /** Logs of what was deleted that their shards have not deleted yet, by id. */
  readonly deleting: Map<string, LogPlace>;
  /** Producer ids below this were given out, or may have been. */
  nextProducerId: number;
  /** What was set, by kind and name. */
  readonly configs: Configs;
}

export type CatalogEvent =
  | { readonly type: 'cluster-created'; readonly clusterId: string; readonly groupLogs: readonly LogPlace[] }
  | { readonly type: 'transaction-logs-created'; readonly logs: readonly LogPlace[] }
  | { readonly type: 'stream-created'; readonly stream: StreamEntry }
  | { readonly type: 'partitions-added'; readonly name: string; readonly partitions: readonly LogPlace[] }
  | { readonly type: 'stream-config-changed'; readonly name: string; readonly config: Readonly<Record<string, string>> }
  | { readonly type: 'stream-deleted'; readonly name: string }
  | { readonly type: 'logs-deleted'; readonly logIds: readonly string[] }
  | { readonly type: 'producer-ids-reserved'; readonly next: number }
  | { readonly type: 'config-set'; readonly kind: ConfigKind; readonly name: string; readonly config: Config }
  | VirtualHostEvent;

interface Snapshot {
  readonly clusterId: string;
  readonly streams: readonly StreamEntry[];
  /** Not there in data of the time before there were any. */
  readonly virtualHosts?: readonly VirtualHostSnapshot[];
  readonly groupLogs: readonly LogPlace[];
  readonly transactionLogs?: readonly LogPlace[];
  readonly deleting: readonly LogPlace[];
  readonly nextProducerId: number;
  /** Not there in data of the time before there were any. */
  readonly configs?: readonly { readonly kind: ConfigKind; readonly name: string; readonly config: Config }[];
}

export const catalogMachine: StateMachine<CatalogState, CatalogEvent> = {
  initial: () => ({
    clusterId: '',
    streams: new Map(),
    virtualHosts: new Map(),
    groupLogs: [],
    transactionLogs: [],
    deleting: new Map(),
    nextProducerId: 0,
    configs: noConfigs(),
  }),
  apply(state, event) {
    switch (event.type) {
      case 'cluster-created':
        state.clusterId = event.clusterId;
        state.groupLogs = event.groupLogs;
        return;
      case 'transaction-logs-created':
        state.transactionLogs = event.logs;
        return;
      case 'stream-created':
        state.streams.set(event.stream.name, event.stream);
        return;
      case 'partitions-added':
        change(state, event.name, (stream) => ({ ...stream, partitions: [...stream.partitions, ...event.partitions] }));
        return;
      case 'stream-config-changed':
        change(state, event.name, (stream) => ({ ...stream, config: event.config }));
        return;
      case 'stream-deleted':
        for (const place of state.streams.get(event.name)?.partitions ?? []) state.deleting.set(place.logId, place);
        state.streams.delete(event.name);
        return;
      case 'logs-deleted':
        for (const logId of event.logIds) state.deleting.delete(logId);
        return;
      case 'producer-ids-reserved':
        state.nextProducerId = event.next;
        return;
      case 'config-set':
        setConfig(state.configs, event);
        return;
      default:
        for (const place of applyVirtualHostEvent(state.virtualHosts, event)) state.deleting.set(place.logId, place);
    }
  },
  toSnapshot: (state): Snapshot => ({
    clusterId: state.clusterId,
    streams: [...state.streams.values()],
    virtualHosts: [...state.virtualHosts.values()].map(toVirtualHostSnapshot),
    groupLogs: state.groupLogs,
    transactionLogs: state.transactionLogs,
    deleting: [...state.deleting.values()],
    nextProducerId: state.nextProducerId,
    configs: CONFIG_KINDS.flatMap((kind) =>
      Array.from(state.configs[kind], ([name, config]) => ({ kind, name, config })),
    ),
  }),
  fromSnapshot(data) {
    const snapshot = data as Snapshot;
    const configs = noConfigs();
    for (const each of snapshot.configs ?? []) setConfig(configs, each);
    return {
      clusterId: snapshot.clusterId,
      streams: new Map(snapshot.streams.map((stream) => [stream.name, stream])),
      virtualHosts: new Map((snapshot.virtualHosts ?? []).map((host) => [host.name, fromVirtualHostSnapshot(host)])),
      groupLogs: snapshot.groupLogs,
      transactionLogs: snapshot.transactionLogs ?? [],
      deleting: new Map(snapshot.deleting.map((place) => [place.logId, place])),
      nextProducerId: snapshot.nextProducerId,
      configs,
    };
  },
};

function noConfigs(): Configs {
  return { broker: new Map(), group: new Map(), subscription: new Map() };
}

function setConfig(configs: Configs, { kind, name, config }: { kind: ConfigKind; name: string; config: Config }): void {
  if (Object.keys(config).length === 0) configs[kind].delete(name);
  else configs[kind].set(name, config);
}

function change(state: CatalogState, name: string, by: (stream: StreamEntry) => StreamEntry): void {
  const stream = state.streams.get(name);
  if (stream !== undefined) state.streams.set(name, by(stream));
}
