export {
  type Endpoint,
  formatEndpoint,
  type Protocol,
  parseEndpoint,
  SUPPORTED_PROTOCOLS,
  USUAL_PORTS,
} from './endpoint.ts';
export { type ListenerInput, type ListenerSettings, parseListener } from './listener.ts';
export { completeSettings, loadSettings, type SettingsSources } from './load.ts';
export { createLogger, type LoggerOptions } from './logger.ts';
export { LOG_LEVELS, type Settings, type SettingsInput, STORAGE_KINDS } from './schema.ts';
