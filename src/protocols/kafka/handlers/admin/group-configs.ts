import { type ConfigValues, GROUP_CONFIG_DEFINITIONS } from '../../../../broker/index.ts';
import { type ConfigEntry, ConfigSource, type ConfigSynonym, configEntry } from './config-entry.ts';

/** All settings of a group: those set for it, else the broker's, else Kafka's. By name. */
export function groupConfigs(own: ConfigValues, defaults: ConfigValues): ConfigEntry[] {
  return Array.from(GROUP_CONFIG_DEFINITIONS.values(), ({ name, type, doc, default: fallback, brokerName = name }) => {
    const synonyms: ConfigSynonym[] = [];
    const [set, usual] = [own[name], defaults[name]];
    if (set !== undefined) synonyms.push({ name, value: set, source: ConfigSource.DYNAMIC_GROUP_CONFIG });
    // The broker's settings are complete, whoever set them: what equals the default counts as set by nobody.
    if (usual !== undefined && usual !== fallback)
      synonyms.push({ name: brokerName, value: usual, source: ConfigSource.STATIC_BROKER_CONFIG });
    synonyms.push({ name: brokerName, value: fallback, source: ConfigSource.DEFAULT_CONFIG });
    return configEntry({ name, type, doc, readOnly: false, synonyms, fallback });
  });
}
