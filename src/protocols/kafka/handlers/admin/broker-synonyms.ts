import type { BrokerConfigs, BrokerScope } from '../../../../broker/index.ts';
import { ConfigSource, type ConfigSynonym } from './config-entry.ts';

const SOURCES: Readonly<Record<BrokerScope, number>> = {
  broker: ConfigSource.DYNAMIC_BROKER_CONFIG,
  cluster: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
};

/** Who has set one of the broker's settings, the one that counts first; nobody when it is as it would be without. */
export function changedSynonyms(name: string, fallback: string, configs: BrokerConfigs): ConfigSynonym[] {
  const synonyms: ConfigSynonym[] = [];
  for (const scope of ['broker', 'cluster'] as const) {
    const value = configs.own(scope)[name];
    if (value !== undefined) synonyms.push({ name, value, source: SOURCES[scope] });
  }
  const value = configs.static(name);
  // The broker's settings are complete, whoever set them: what equals the default counts as set by nobody.
  if (value !== undefined && value !== fallback)
    synonyms.push({ name, value, source: ConfigSource.STATIC_BROKER_CONFIG });
  return synonyms;
}
