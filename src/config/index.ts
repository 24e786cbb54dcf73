export {
  type Endpoint,
  formatEndpoint,
  type Protocol,
  parseEndpoint,
  SUPPORTED_PROTOCOLS,
  USUAL_PORTS,
} from './endpoint.ts';
export { type ListenerInput, type ListenerSettings, parseListener } from './listener.ts';
export {
  completeSettings,
  type LoadedSettings,
  loadSettings,
  loadWithOrigins,
  originsOfProgram,
  type SettingsSources,
} from './load.ts';
export { createLogger, type LoggerOptions } from './logger.ts';
export { isSecret, type SettingOrigins, type SettingSource, valueAt, withoutSecrets } from './origins.ts';
export { LOG_LEVELS, type Settings, type SettingsInput, STORAGE_KINDS } from './schema.ts';
export { SETTINGS, type Setting } from './setting.ts';
