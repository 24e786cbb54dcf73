import { BrokerError } from '../errors.ts';

/** Options or arguments that do not make a command; ends with exit code 2. */
export class UsageError extends BrokerError {
  constructor(message: string) {
    super('invalid-argument', message);
    this.name = 'UsageError';
  }
}
