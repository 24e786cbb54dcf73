import {
  BROKER_CONFIG_DEFINITIONS,
  type Broker,
  boundNames,
  type ConfigType,
  DEFAULT_BROKER_SETTINGS,
  GROUP_CONFIG_DEFINITIONS,
} from '../../../../broker/index.ts';
import type { Endpoint, ListenerView, RequestContext } from '../../handler.ts';
import { changedSynonyms } from './broker-synonyms.ts';
import { byName, type ConfigEntry, ConfigSource, type ConfigSynonym, configEntry } from './config-entry.ts';
import { FIXED_CONFIGS } from './fixed-configs.ts';
import { defaultSynonyms } from './topic-configs.ts';

/** The settings of this broker under Kafka's names, by name. */
export function brokerConfigs({
  broker: { settings, configs, groupConfigs },
  listeners,
}: Pick<RequestContext, 'broker' | 'listeners'>): ConfigEntry[] {
  const fixed = FIXED_CONFIGS.map(({ name, type, value, doc }) =>
    fixedEntry({ name, type, doc, fallback: String(value(DEFAULT_BROKER_SETTINGS)), actual: String(value(settings)) }),
  );
  const changeable = Array.from(
    BROKER_CONFIG_DEFINITIONS.values(),
    ({ name, type, doc, default: fallback, topicConfig }) => {
      const synonyms =
        topicConfig === undefined
          ? [
              ...changedSynonyms(name, fallback, configs),
              { name, value: fallback, source: ConfigSource.DEFAULT_CONFIG },
            ]
          : defaultSynonyms(topicConfig, fallback, configs);
      return configEntry({ name, type, doc, readOnly: false, synonyms, fallback });
    },
  );
  const ofGroups = Array.from(GROUP_CONFIG_DEFINITIONS.values()).flatMap(
    ({ name, type, doc, default: fallback, brokerName }) => {
      if (brokerName === undefined) return [];
      return [fixedEntry({ name: brokerName, type, doc, fallback, actual: groupConfigs.defaults[name] ?? fallback })];
    },
  );
  const groupBounds = Array.from(GROUP_CONFIG_DEFINITIONS.values()).flatMap(({ name, type, bounds }) =>
    boundNames(name).flatMap((boundName, index) => {
      const fallback = bounds?.[index];
      if (fallback === undefined) return [];
      return [
        fixedEntry({
          ...{ name: `group.${boundName}`, type, doc: `The ${index === 0 ? 'least' : 'greatest'} ${name} of a group.` },
          ...{ fallback: String(fallback), actual: String(groupConfigs.bounds[boundName] ?? fallback) },
        }),
      ];
    }),
  );
  return [...listenerConfigs(listeners()), ...fixed, ...changeable, ...ofGroups, ...groupBounds].sort(byName);
}

/** Where this broker listens is always said when it is started. */
function listenerConfigs(listeners: readonly ListenerView[]): ConfigEntry[] {
  return [
    {
      name: 'listeners',
      value: listenersText(listeners, ({ address }) => address),
      doc: 'Where this broker listens for clients of Kafka.',
    },
    {
      name: 'advertised.listeners',
      value: listenersText(listeners, ({ endpoint }) => endpoint),
      doc: 'What clients of Kafka are told to connect to.',
    },
  ].map(({ name, value, doc }) => {
    const synonyms = [{ name, value, source: ConfigSource.STATIC_BROKER_CONFIG }];
    return configEntry({ name, type: 'string', doc, readOnly: true, synonyms, fallback: '' });
  });
}

/** As Kafka writes them: `NAME://HOST:PORT`, with commas between. */
function listenersText(listeners: readonly ListenerView[], placeOf: (listener: ListenerView) => Endpoint): string {
  const texts = listeners.map((listener) => {
    const { host, port } = placeOf(listener);
    return `${listener.securityProtocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  });
  return texts.join(',');
}

/** What was set for all brokers while they ran. */
export function clusterConfigs({ configs }: Broker): ConfigEntry[] {
  const set = Object.entries(configs.own('cluster')).flatMap(([name, value]) => {
    const definition = BROKER_CONFIG_DEFINITIONS.get(name);
    if (definition === undefined) return [];
    const synonyms = [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG }];
    return [configEntry({ ...definition, readOnly: false, synonyms, fallback: definition.default })];
  });
  return set.sort(byName);
}

function fixedEntry({
  name,
  fallback,
  actual,
  ...rest
}: {
  readonly name: string;
  readonly type: ConfigType;
  readonly doc: string;
  readonly fallback: string;
  readonly actual: string;
}): ConfigEntry {
  const synonyms: ConfigSynonym[] = [{ name, value: fallback, source: ConfigSource.DEFAULT_CONFIG }];
  if (actual !== fallback) synonyms.unshift({ name, value: actual, source: ConfigSource.STATIC_BROKER_CONFIG });
  return configEntry({ ...rest, name, readOnly: true, synonyms, fallback });
}
