import { BrokerError } from '../../errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ConfigKind } from '../catalog/state.ts';
import type { ConfigChange, ConfigValues } from './config-definition.ts';

/** UTF-16 units of the name of what has settings. */
const MAX_NAME_LENGTH = 1024;

const NOTHING: ConfigValues = {};

export interface StoredConfigsOptions {
  readonly catalog: Catalog;
  readonly kind: ConfigKind;
  /** How many of the kind can have settings. */
  readonly limit: number;
  /** Throws what is wrong with settings. */
  readonly check: (name: string, config: ConfigValues) => void;
  /** Settings have changed: what goes by them is told. */
  readonly onChange: (name: string) => void;
}

/** What was set while the broker ran for things of one kind, by their names: it lasts, in the catalog. */
export class StoredConfigs {
  readonly #options: StoredConfigsOptions;

  constructor(options: StoredConfigsOptions) {
    this.#options = options;
  }

  /** Empty for what nothing was set for. */
  of(name: string): ConfigValues {
    return this.#stored.get(name) ?? NOTHING;
  }

  /** Those that something is set for. */
  names(): Iterable<string> {
    return this.#stored.keys();
  }

  /** Says what is wrong with a change before it is made; throws as `configure` rejects. */
  check(name: string, change: ConfigChange): void {
    this.#changed(name, change);
  }

  /** Changes what is set for one; nothing is left of one without settings. Rejects with `limit-exceeded`, and as the check does. */
  async configure(name: string, change: ConfigChange): Promise<void> {
    const { catalog, kind, onChange } = this.#options;
    await catalog.change(
      () => [{ type: 'config-set', kind, name, config: this.#changed(name, change) }],
      () => onChange(name),
    );
  }

  #changed(name: string, change: ConfigChange): ConfigValues {
    const { kind, limit, check } = this.#options;
    const config = change(this.of(name));
    check(name, config);
    if (name.length > MAX_NAME_LENGTH)
      throw new BrokerError('invalid-configuration', `names have ${MAX_NAME_LENGTH} characters at most`);
    if (Object.keys(config).length > 0 && !this.#stored.has(name) && this.#stored.size >= limit)
      throw new BrokerError('limit-exceeded', `there are settings of ${limit} ${kind}s already: remove some first`);
    return config;
  }

  get #stored(): ReadonlyMap<string, ConfigValues> {
    return this.#options.catalog.state.configs[this.#options.kind];
  }
}
