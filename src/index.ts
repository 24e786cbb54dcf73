export type { DefinitionsInput } from './broker/index.ts';
export type { Settings, SettingsInput } from './config/index.ts';
export {
  type CreateBrokerOptions,
  createBroker,
  type ListenerAddress,
  type RunningBroker,
  type TestClock,
} from './create-broker.ts';
export type { Clock, Environment, Timer } from './environment/environment.ts';
export type { Logger } from './environment/logger.ts';
export { BrokerError, type ErrorCode } from './errors.ts';
