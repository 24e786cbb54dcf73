import { SCRAM_MECHANISMS, type ScramMechanism } from '../../../../broker/index.ts';
import { KafkaError } from '../../codec/error-codes.ts';
import { Refusal } from './refusal.ts';

/** Kafka's numbers begin at 1 (ScramMechanism). */
export function mechanismNumber(mechanism: ScramMechanism): number {
  return SCRAM_MECHANISMS.indexOf(mechanism) + 1;
}

/** Throws a `Refusal`. */
export function mechanismOf(number: number): ScramMechanism {
  const mechanism = SCRAM_MECHANISMS[number - 1];
  if (mechanism === undefined) throw new Refusal(KafkaError.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism');
  return mechanism;
}
