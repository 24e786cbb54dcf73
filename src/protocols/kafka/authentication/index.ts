export { Authentication, type LoginStep } from './authentication.ts';
export {
  type AuthenticationSettings,
  DEFAULT_AUTHENTICATION,
  SASL_MECHANISMS,
  type SaslMechanism,
} from './settings.ts';
