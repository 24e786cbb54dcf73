import { BrokerError } from '../../errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { BROKER_CONFIG_DEFINITIONS } from './broker-definitions.ts';
import { type ConfigChange, type ConfigValues, checkConfig } from './config-definition.ts';
import { StoredConfigs } from './stored-configs.ts';

/** Whom a setting is for: this broker, or all brokers that have no own. */
export type BrokerScope = 'broker' | 'cluster';

/** The name of all brokers' settings in the catalog. */
const ALL = '';

/** A broker may have some that have come to another machine with its data. */
const MAX_CONFIGURED_BROKERS = 1_000;

export interface BrokerConfigsOptions {
  readonly catalog: Catalog;
  readonly nodeId: number;
  /** What the broker was started with, by Kafka's names. */
  readonly statics: ConfigValues;
  /** Likewise what topics have that are not told otherwise, by the topics' names of it. */
  readonly topicDefaults: ConfigValues;
}

/** The settings of the broker that can be changed while it runs: the last change counts, then what it was started with. */
export class BrokerConfigs {
  #statics: ConfigValues;
  #topicDefaults: ConfigValues;
  readonly #names: Readonly<Record<BrokerScope, string>>;
  readonly #stored: StoredConfigs;
  readonly #listeners = new Set<() => void>();

  constructor({ catalog, nodeId, statics, topicDefaults }: BrokerConfigsOptions) {
    this.#statics = statics;
    this.#topicDefaults = topicDefaults;
    this.#names = { broker: String(nodeId), cluster: ALL };
    this.#stored = new StoredConfigs({
      catalog,
      kind: 'broker',
      limit: MAX_CONFIGURED_BROKERS,
      check: (_name, config) => checkBrokerConfig(config),
      onChange: () => {
        for (const callback of [...this.#listeners]) callback();
      },
    });
  }

  /** What was set while the broker ran. */
  own(scope: BrokerScope): ConfigValues {
    return this.#stored.of(this.#names[scope]);
  }

  /** The value that counts, as text. */
  value(name: string): string {
    const { default: fallback = '' } = BROKER_CONFIG_DEFINITIONS.get(name) ?? {};
    return this.own('broker')[name] ?? this.own('cluster')[name] ?? this.static(name) ?? fallback;
  }

  /** What the broker was started with. */
  static(name: string): string | undefined {
    const { topicConfig } = BROKER_CONFIG_DEFINITIONS.get(name) ?? {};
    return topicConfig === undefined ? this.#statics[name] : this.#topicDefaults[topicConfig];
  }

  /** What topics have now that are not told otherwise. */
  topicDefaults(): ConfigValues {
    const defaults: Record<string, string> = { ...this.#topicDefaults };
    for (const { name, topicConfig } of BROKER_CONFIG_DEFINITIONS.values()) {
      if (topicConfig !== undefined) defaults[topicConfig] = this.value(name);
    }
    return defaults;
  }

  /** As if the broker had been started with these: they count where nothing was set while it ran. */
  restate({ statics, topicDefaults }: Pick<BrokerConfigsOptions, 'statics' | 'topicDefaults'>): void {
    this.#statics = statics;
    this.#topicDefaults = topicDefaults;
    for (const callback of [...this.#listeners]) callback();
  }

  /** Throws what `configure` rejects with. */
  check(scope: BrokerScope, change: ConfigChange): void {
    this.#stored.check(this.#names[scope], change);
  }

  /** Rejects with `invalid-configuration`. */
  configure(scope: BrokerScope, change: ConfigChange): Promise<void> {
    return this.#stored.configure(this.#names[scope], change);
  }

  /** Calls back after a change, until the answered function is called. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }
}

function checkBrokerConfig(config: ConfigValues): void {
  const others = Object.keys(config).filter((name) => !BROKER_CONFIG_DEFINITIONS.has(name));
  if (others.length > 0)
    throw new BrokerError(
      'invalid-configuration',
      `Cannot update these configs dynamically: Set(${others.join(', ')})`,
    );
  checkConfig('broker', BROKER_CONFIG_DEFINITIONS, config);
}
