import { BrokerError, type ErrorCode } from '../../errors.ts';

/** What the API answered instead of what it was asked for. */
export class ApiError extends BrokerError {
  readonly status: number;

  constructor(code: ErrorCode, message: string, status: number) {
    super(code, message);
    this.name = 'ApiError';
    this.status = status;
  }
}

export interface Refused {
  readonly status: number;
  /** As parsed; RabbitMQ's form is `{error, reason}`. */
  readonly body: unknown;
  /** Of the broker. */
  readonly address: string;
  /** Who asked. */
  readonly user: string;
  /** Whether the command line said who. */
  readonly userGiven: boolean;
  /** What was asked about, as in `queue 'orders'`. */
  readonly subject: string | undefined;
}

/** RabbitMQ has 401 both for who is not known and for who is, and may not. */
const NOT_KNOWN = 'not_authorized';

/** How RabbitMQ answers, with 400, who sets permissions of somebody, or somewhere, that is not there. */
const NO_SUCH_PLACE = 'vhost_or_user_not_found';

/** What an answer means, and what to do about it. */
export function apiError(refused: Refused): ApiError {
  const { status, address, user, subject } = refused;
  const { error, reason } = saidIn(refused.body);
  const said = reason ?? error ?? `status ${status}`;
  const of = (code: ErrorCode, message: string) => new ApiError(code, message, status);
  if (status === 401 && (error === NOT_KNOWN || error === undefined)) return of('not-authorized', notKnown(refused));
  if (status === 401 || status === 403)
    return of(
      'access-refused',
      `user '${user}' may not do this: ${said}; see its tags and permissions: sluice user show ${user}`,
    );
  if (reason === NO_SUCH_PLACE && subject !== undefined) return of('not-found', `there is no ${subject}`);
  if (status === 404) {
    const usual = reason === undefined || reason === 'Not Found';
    if (subject !== undefined) return of('not-found', `there is no ${subject}${usual ? '' : `: ${said}`}`);
    return of('not-found', usual ? `${address} has nothing of that kind: it may be another release` : said);
  }
  if (status === 413)
    return of('message-too-large', `${address} takes no body of that size (http.maxBodyBytes): ${said}`);
  if (status === 503) return of('closed', `${address} cannot do it now: ${said}`);
  if (status >= 500) return of('internal', `${address}: ${said}`);
  return of('invalid-argument', subject === undefined ? said : `${subject}: ${said}`);
}

function notKnown({ address, user, userGiven }: Refused): string {
  if (userGiven)
    return `${address} did not let '${user}' in: name and password do not match, or the user may not come from here`;
  return `${address} did not let '${user}' in, who is tried unless you say who you are: give --user NAME`;
}

function saidIn(body: unknown): { readonly error?: string; readonly reason?: string } {
  if (typeof body !== 'object' || body === null) return {};
  const { error, reason } = body as { readonly error?: unknown; readonly reason?: unknown };
  return {
    ...(typeof error === 'string' && { error }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
  };
}
