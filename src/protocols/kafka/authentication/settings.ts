import { SCRAM_MECHANISMS } from '../../../broker/index.ts';
import { PrincipalRules } from './principal-rules.ts';

export const SASL_MECHANISMS = ['PLAIN', ...SCRAM_MECHANISMS] as const;

export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** How clients of a listener show who they are. */
export interface AuthenticationSettings {
  /**
   * Whether they have to log in: nobody can (`off`), who wants to does (`optional`), whoever is not on this machine and has shown no
   * certificate must (`remote`), everybody must (`required`).
   */
  readonly sasl: 'off' | 'optional' | 'remote' | 'required';
  readonly mechanisms: readonly SaslMechanism[];
  /** Milliseconds after which a client has to log in again; 0 for never. Kafka: connections.max.reauth.ms. */
  readonly maxReauthMs: number;
  /** What certificates that clients show call them. Kafka: ssl.principal.mapping.rules. */
  readonly principalRules: PrincipalRules;
}

export const DEFAULT_AUTHENTICATION: AuthenticationSettings = {
  sasl: 'remote',
  mechanisms: SASL_MECHANISMS,
  maxReauthMs: 0,
  principalRules: new PrincipalRules('DEFAULT'),
};
