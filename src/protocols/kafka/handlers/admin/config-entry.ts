import type { ConfigType } from '../../../../broker/index.ts';

/** Who set a value (KIP-226). */
export const ConfigSource = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  DYNAMIC_CLIENT_METRICS_CONFIG: 7,
  DYNAMIC_GROUP_CONFIG: 8,
} as const;

/** Kafka's numbers for the types of settings (KIP-569). */
const TYPE_NUMBERS: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
};

/** A value, and where it comes from. */
export interface ConfigSynonym {
  readonly name: string;
  readonly value: string;
  readonly source: number;
}

/** One setting as DescribeConfigs and CreateTopics answer it. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly ConfigSynonym[];
  readonly configType: number;
  readonly documentation: string;
}

/** The value that counts is that of the first of `synonyms`; without any it is the `fallback`, which is nobody's. */
export function configEntry(setting: {
  readonly name: string;
  readonly type: ConfigType;
  readonly doc: string;
  readonly readOnly: boolean;
  readonly synonyms: readonly ConfigSynonym[];
  readonly fallback: string;
}): ConfigEntry {
  const { name, type, doc, readOnly, synonyms, fallback } = setting;
  const [first] = synonyms;
  return {
    name,
    value: first?.value ?? fallback,
    readOnly,
    configSource: first?.source ?? ConfigSource.DEFAULT_CONFIG,
    // Nothing that has a Kafka name here is a secret.
    isSensitive: false,
    synonyms,
    configType: TYPE_NUMBERS[type],
    documentation: doc,
  };
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
