import { type ConfigValues, SUBSCRIPTION_CONFIG_DEFINITIONS } from '../../../../broker/index.ts';
import { type ConfigEntry, ConfigSource, configEntry } from './config-entry.ts';

/** All settings of a subscription to clients' metrics; none of one that there is not. */
export function subscriptionConfigs(own: ConfigValues): ConfigEntry[] {
  if (Object.keys(own).length === 0) return [];
  return Array.from(SUBSCRIPTION_CONFIG_DEFINITIONS.values(), ({ name, type, doc, default: fallback }) => {
    const value = own[name];
    const set = value === undefined ? [] : [{ name, value, source: ConfigSource.DYNAMIC_CLIENT_METRICS_CONFIG }];
    const synonyms = [...set, { name, value: fallback, source: ConfigSource.DEFAULT_CONFIG }];
    return configEntry({ name, type, doc, readOnly: false, synonyms, fallback });
  });
}
