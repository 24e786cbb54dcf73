export {
  type AuthenticationSettings,
  PrincipalRules,
  SASL_MECHANISMS,
  type SaslMechanism,
} from './authentication/index.ts';
export { embeddedProtocol } from './embedded-protocol.ts';
export { KafkaListener, type KafkaListenerOptions } from './listener.ts';
