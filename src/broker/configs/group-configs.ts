import type { Catalog } from '../catalog/catalog.ts';
import type { ConfigChange, ConfigValues } from './config-definition.ts';
import type { GroupConfig, GroupConfigReader } from './group-config.ts';
import { checkGroupConfig, checkGroupDefaults, type GroupBounds, groupConfig } from './group-definitions.ts';
import { StoredConfigs } from './stored-configs.ts';

/** Groups that something is set for; whether they exist does not matter. */
const MAX_CONFIGURED_GROUPS = 10_000;

export interface GroupConfigsOptions {
  readonly catalog: Catalog;
  /** Of groups that nothing is set for, by Kafka's names. */
  readonly defaults: ConfigValues;
  readonly bounds?: GroupBounds;
}

/** The settings of groups: those that were set for one while the broker ran, else the broker's. */
export class GroupConfigs implements GroupConfigReader {
  readonly defaults: ConfigValues;
  readonly bounds: GroupBounds;
  readonly #stored: StoredConfigs;
  readonly #usual: GroupConfig;
  readonly #read = new Map<string, GroupConfig>();
  readonly #listeners = new Set<(groupId: string | undefined) => void>();

  /** Throws `invalid-configuration` for the defaults. */
  constructor({ catalog, defaults, bounds = {} }: GroupConfigsOptions) {
    checkGroupDefaults(defaults);
    this.defaults = defaults;
    this.bounds = bounds;
    this.#usual = groupConfig({}, defaults);
    this.#stored = new StoredConfigs({
      catalog,
      kind: 'group',
      limit: MAX_CONFIGURED_GROUPS,
      check: (_name, config) => checkGroupConfig(config, defaults, bounds),
      onChange: (groupId) => this.#onChange(groupId),
    });
    for (const groupId of this.#stored.names()) this.#readOne(groupId);
  }

  of(groupId: string): GroupConfig {
    return this.#read.get(groupId) ?? this.#usual;
  }

  onChange(callback: (groupId: string | undefined) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** What was set for a group. */
  own(groupId: string): ConfigValues {
    return this.#stored.of(groupId);
  }

  /** The groups that something is set for. */
  names(): Iterable<string> {
    return this.#stored.names();
  }

  /** Throws what `configure` rejects with. */
  check(groupId: string, change: ConfigChange): void {
    this.#stored.check(groupId, change);
  }

  /** Changes what is set for a group. Rejects with `invalid-configuration`, `limit-exceeded`. */
  configure(groupId: string, change: ConfigChange): Promise<void> {
    return this.#stored.configure(groupId, change);
  }

  #onChange(groupId: string): void {
    this.#readOne(groupId);
    for (const callback of [...this.#listeners]) callback(groupId);
  }

  #readOne(groupId: string): void {
    const own = this.#stored.of(groupId);
    if (Object.keys(own).length === 0) this.#read.delete(groupId);
    else this.#read.set(groupId, groupConfig(own, this.defaults));
  }
}
