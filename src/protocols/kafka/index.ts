export { type AuthenticationSettings, SASL_MECHANISMS, type SaslMechanism } from './authentication/index.ts';
export { KafkaListener, type KafkaListenerOptions } from './listener.ts';
export { embeddedProtocol } from './embedded-protocol.ts';
