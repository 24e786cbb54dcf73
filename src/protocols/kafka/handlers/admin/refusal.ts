import { BrokerError, type ErrorCode } from '../../../../errors.ts';
import { KafkaError } from '../../codec/error-codes.ts';
import { errorNumber, errorText } from '../../errors.ts';
import type { RequestContext } from '../../handler.ts';

/** How one part of a request (a topic, a resource) went; the other parts are done whatever became of it. */
export interface Outcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export const DONE: Outcome = { errorCode: KafkaError.NONE, errorMessage: null };

/** Kafka's own texts where it has no more to say than the code. */
export const UNKNOWN_TOPIC: Outcome = {
  errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
};
export const UNKNOWN_TOPIC_ID: Outcome = {
  errorCode: KafkaError.UNKNOWN_TOPIC_ID,
  errorMessage: 'This server does not host this topic ID.',
};

/** Thrown where a part of a request turns out to be none that can be done, under the number that clients are told. */
export class Refusal extends Error {
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.errorCode = errorCode;
  }
}

/** What clients are told of what was thrown. `numbers` says what the broker's codes mean for this API, where that differs. */
export function refused(
  error: unknown,
  { logger }: RequestContext,
  numbers: Partial<Record<ErrorCode, number>> = {},
): Outcome {
  if (error instanceof Refusal) return { errorCode: error.errorCode, errorMessage: errorText(error.message) };
  if (!(error instanceof BrokerError)) return { errorCode: errorNumber(error, logger), errorMessage: null };
  // These are Kafka's controller's requests: a client whose controller stepped down looks for the new one and asks again.
  const controller = { fenced: KafkaError.NOT_CONTROLLER, closed: KafkaError.NOT_CONTROLLER };
  const errorCode = { ...controller, ...numbers }[error.code] ?? errorNumber(error, logger);
  if (errorCode === KafkaError.KAFKA_STORAGE_ERROR)
    logger.error({ code: error.code, err: error.message }, 'the broker failed');
  return { errorCode, errorMessage: errorText(error.message) };
}
