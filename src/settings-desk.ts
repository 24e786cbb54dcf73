import { BROKER_CONFIG_DEFINITIONS, BROKER_NAMES, type Broker, isLogLevel } from './broker/index.ts';
import {
  isSecret,
  LOG_LEVELS,
  type LoadedSettings,
  SETTINGS,
  type Setting,
  type Settings,
  valueAt,
  withoutSecrets,
} from './config/index.ts';
import { BrokerError } from './errors.ts';
import type { SettingsDesk } from './protocols/http/server-facts.ts';
import type { ReloadShape, SettingShape } from './protocols/http/shapes/settings.ts';

const LOG_LEVEL = 'logLevel';
const TOPIC_DEFAULTS = 'kafka.topicDefaults.';

/** Settings that are Kafka's dynamic ones by another name. */
const KAFKA_NAMES: Readonly<Record<string, string>> = {
  'limits.connections': 'max.connections',
  'limits.connectionsPerAddress': 'max.connections.per.ip',
  'compaction.checkMs': 'log.cleaner.backoff.ms',
  'compaction.mapBytes': 'log.cleaner.dedupe.buffer.size',
  'compaction.bytesPerSecond': 'log.cleaner.io.max.bytes.per.second',
};

export interface DeskOptions {
  readonly broker: Broker;
  readonly loaded: LoadedSettings;
  /** Has the broker go by settings that can change while it runs. */
  readonly restate: (settings: Settings) => void;
}

/** The settings as they were given and as they were changed while the broker runs, which Kafka's clients do by the same way. */
export class BrokerSettingsDesk implements SettingsDesk {
  readonly #broker: Broker;
  readonly #restate: DeskOptions['restate'];
  #loaded: LoadedSettings;

  constructor({ broker, loaded, restate }: DeskOptions) {
    this.#broker = broker;
    this.#loaded = loaded;
    this.#restate = restate;
  }

  all(): readonly SettingShape[] {
    const known = new Set(SETTINGS.map(kafkaNameOf));
    const others = [...BROKER_CONFIG_DEFINITIONS.keys()].filter((name) => !known.has(name));
    return [...SETTINGS.map((setting) => this.#fact(setting)), ...others.map((name) => this.#dynamicFact(name))];
  }

  async set(name: string, value: string | undefined): Promise<void> {
    if (name === LOG_LEVEL) return this.#setLogLevel(value);
    const setting = SETTINGS.find((each) => each.name === name);
    const kafkaName = setting === undefined ? name : kafkaNameOf(setting);
    if (setting !== undefined && kafkaName === undefined)
      throw new BrokerError('invalid-configuration', `${name} cannot be changed while the broker runs: restart it`);
    if (kafkaName === undefined || !BROKER_CONFIG_DEFINITIONS.has(kafkaName))
      throw new BrokerError('not-found', `there is no setting ${name}`);
    const { configs } = this.#broker;
    const without = ({ [kafkaName]: _, ...others }: Readonly<Record<string, string>>) => others;
    if (value !== undefined) return configs.configure('broker', (own) => ({ ...own, [kafkaName]: value }));
    for (const scope of ['broker', 'cluster'] as const)
      if (configs.own(scope)[kafkaName] !== undefined) await configs.configure(scope, without);
  }

  async reload(): Promise<ReloadShape> {
    const { settings: before, reload } = this.#loaded;
    if (reload === undefined)
      throw new BrokerError(
        'unsupported',
        'the broker was started without a configuration file: there is none to read',
      );
    const loaded = await reload();
    const text = (settings: Settings, { path }: Setting) => JSON.stringify(valueAt(settings, path));
    const different = SETTINGS.filter((setting) => text(before, setting) !== text(loaded.settings, setting));
    const [changed, needsRestart] = [different.filter(isDynamic), different.filter((each) => !isDynamic(each))];
    // What needs a restart stays what the broker goes by, and is told again the next time.
    if (changed.some(({ name }) => name === LOG_LEVEL)) this.#broker.logs.setLevel('all', loaded.settings.logLevel);
    this.#restate(loaded.settings);
    this.#loaded = { ...loaded, settings: merged(before, loaded.settings, changed) };
    return { changed: changed.map(({ name }) => name), needs_restart: needsRestart.map(({ name }) => name) };
  }

  #setLogLevel(value: string | undefined): void {
    const level = value ?? this.#loaded.settings.logLevel;
    if (!LOG_LEVELS.some((each) => each === level) || !isLogLevel(level))
      throw new BrokerError('invalid-configuration', `logLevel: one of ${LOG_LEVELS.join(', ')} is wanted`);
    this.#broker.logs.setLevel('all', level);
  }

  #fact(setting: Setting): SettingShape {
    const { name, kind, choices, minimum, maximum, description, variable } = setting;
    const { settings, origins } = this.#loaded;
    const kafkaName = kafkaNameOf(setting);
    const secret = isSecret(setting);
    const given = { value: valueAt(settings, setting.path), source: origins.get(name) ?? ('default' as const) };
    const now = kafkaName === undefined ? this.#levelNow(name, given) : this.#configNow(kafkaName, kind, given);
    return {
      ...{ name, kind, description, variable, secret },
      ...{
        choices: choices ?? null,
        minimum: minimum ?? null,
        maximum: maximum ?? null,
        kafka_name: kafkaName ?? null,
      },
      value: secret ? null : (withoutSecrets(now.value) ?? null),
      default: secret ? null : (withoutSecrets(setting.default) ?? null),
      source: now.source,
      dynamic: isDynamic(setting),
    };
  }

  #levelNow(name: string, given: Pick<SettingShape, 'value' | 'source'>): Pick<SettingShape, 'value' | 'source'> {
    const { level } = this.#broker.logs;
    // A program's own log says itself how much it takes.
    if (name !== LOG_LEVEL || level === given.value) return given;
    return { value: level, source: 'dynamic' };
  }

  #configNow(
    kafkaName: string,
    kind: SettingShape['kind'],
    given: Pick<SettingShape, 'value' | 'source'>,
  ): Pick<SettingShape, 'value' | 'source'> {
    if (!this.#isSet(kafkaName)) return given;
    const text = this.#broker.configs.value(kafkaName);
    return { value: kind === 'number' ? Number(text) : text, source: 'dynamic' };
  }

  /** Something that only Kafka's names have. */
  #dynamicFact(name: string): SettingShape {
    const { type, default: usual = '', doc = '' } = BROKER_CONFIG_DEFINITIONS.get(name) ?? {};
    const { configs } = this.#broker;
    return {
      ...{ name, value: configs.value(name), default: usual, kafka_name: name, description: doc },
      source: this.#isSet(name) ? 'dynamic' : 'default',
      kind: type === 'int' || type === 'long' || type === 'double' ? 'number' : type === 'boolean' ? 'boolean' : 'text',
      ...{ choices: null, minimum: null, maximum: null, variable: null },
      ...{ secret: false, dynamic: true },
    };
  }

  #isSet(kafkaName: string): boolean {
    const { configs } = this.#broker;
    return configs.own('broker')[kafkaName] !== undefined || configs.own('cluster')[kafkaName] !== undefined;
  }
}

function kafkaNameOf({ name }: Setting): string | undefined {
  if (name.startsWith(TOPIC_DEFAULTS)) return BROKER_NAMES[name.slice(TOPIC_DEFAULTS.length)];
  return KAFKA_NAMES[name];
}

function isDynamic(setting: Setting): boolean {
  return setting.name === LOG_LEVEL || kafkaNameOf(setting) !== undefined;
}

/** The settings that the broker goes by: of the new ones, those that can change while it runs. */
function merged(before: Settings, after: Settings, changed: readonly Setting[]): Settings {
  const copy = structuredClone(before) as Record<string, unknown>;
  for (const { path } of changed) {
    let at = copy;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
    at[path.at(-1) ?? ''] = valueAt(after, path);
  }
  return copy as Settings;
}
