import type { ApiError } from '../api/errors.ts';
import { errorWords } from '../words/common.ts';

/** In one sentence, with what the broker says. */
export function explain({ failure, message }: ApiError): string {
  if (failure === 'told') return message;
  const kind = headline(failure);
  return message === '' ? kind : `${kind}: ${message}`;
}

/** What kind of thing went wrong. */
export function headline(failure: ApiError['failure']): string {
  switch (failure) {
    case 'signed-out':
      return errorWords.signedOut;
    case 'refused':
      return errorWords.refused;
    case 'not-found':
      return errorWords.notFound;
    case 'conflict':
      return errorWords.conflict;
    case 'invalid':
      return errorWords.invalid;
    case 'unavailable':
      return errorWords.unavailable;
    case 'gone':
      return errorWords.gone;
    case 'failed':
    case 'told':
      return errorWords.failed;
  }
}
