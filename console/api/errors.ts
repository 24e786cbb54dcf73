/** Why a request was not answered with what was asked for. */
export type Failure =
  /** Nobody is logged in any more. */
  | 'signed-out'
  /** The user may not do this. */
  | 'refused'
  | 'not-found'
  | 'conflict'
  /** What was sent cannot be. */
  | 'invalid'
  /** The broker cannot do it now: memory, disk. */
  | 'unavailable'
  /** The broker does not answer. */
  | 'gone'
  | 'failed'
  /** The console says why itself, in the user's language. */
  | 'told';

export class ApiError extends Error {
  readonly failure: Failure;
  /** 0 when there was no answer. */
  readonly status: number;

  constructor(failure: Failure, status: number, reason: string) {
    super(reason);
    this.name = 'ApiError';
    this.failure = failure;
    this.status = status;
  }
}

export function failureOf(status: number, error: string): Failure {
  // RabbitMQ answers 401 to users that are known, too; the word tells which it is.
  if (status === 401) return error === 'not_authorized' ? 'signed-out' : 'refused';
  if (status === 403) return 'refused';
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  if (status >= 400 && status < 500) return 'invalid';
  return status === 503 ? 'unavailable' : 'failed';
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('failed', 0, error instanceof Error ? error.message : String(error));
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
