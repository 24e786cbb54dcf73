export { BrokerConfigs, type BrokerScope } from './broker-configs.ts';
export {
  BROKER_CONFIG_DEFINITIONS,
  BROKER_NAMES,
  type BrokerConfigDefinition,
} from './broker-definitions.ts';
export type { ConfigChange, ConfigDefinition, ConfigType, ConfigValues } from './config-definition.ts';
export {
  DEFAULT_GROUP_CONFIG,
  type GroupConfig,
  type GroupConfigReader,
  type ShareOffsetReset,
} from './group-config.ts';
export { GroupConfigs } from './group-configs.ts';
export { boundNames, GROUP_CONFIG_DEFINITIONS, type GroupBounds, groupConfigValue } from './group-definitions.ts';
