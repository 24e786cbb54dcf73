export { Authentication, type LoginStep } from './authentication.ts';
export { PrincipalRules } from './principal-rules.ts';
export {
  type AuthenticationSettings,
  DEFAULT_AUTHENTICATION,
  SASL_MECHANISMS,
  type SaslMechanism,
} from './settings.ts';
