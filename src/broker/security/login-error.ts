import { BrokerError } from '../../errors.ts';

/** A login that failed, and as whom the client wanted to log in. */
export class LoginError extends BrokerError {
  readonly user: string;

  constructor(user: string, message: string) {
    super('not-authorized', message);
    this.user = user;
  }
}
