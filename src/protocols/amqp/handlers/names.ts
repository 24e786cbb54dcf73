import { AmqpError } from '../errors.ts';

/** Names of queues and exchanges are taken without line breaks. */
export function withoutLineBreaks(name: string): string {
  return name.replace(/[\r\n]/g, '');
}

/** The default exchange is there, routes by queues' names, and nothing else can be done with it. */
export function refuseDefaultExchange(name: string): void {
  if (name === '') throw new AmqpError('ACCESS_REFUSED', 'operation not permitted on the default exchange');
}
