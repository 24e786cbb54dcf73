import type { Random } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';

/** Bytes of a name, at most. */
const MAX_NAME_BYTES = 255;

/** As RabbitMQ's texts name things: `queue 'q' in vhost '/'`. */
export function describe(kind: 'queue' | 'exchange', name: string, host: string): string {
  return `${kind} '${name}' in vhost '${host}'`;
}

/** Names lose their line ends, as in RabbitMQ. */
export function cleanName(name: string): string {
  return name.includes('\n') || name.includes('\r') ? name.replaceAll(/[\r\n]/g, '') : name;
}

/** Of something that is to be made: throws `access-refused` for a reserved name, `invalid-argument` for one that is too long. */
export function checkNewName(kind: 'queue' | 'exchange', name: string): void {
  if (name.startsWith('amq.'))
    throw new BrokerError('access-refused', `${kind} name '${name}' contains reserved prefix 'amq.*'`);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new BrokerError('invalid-argument', `a name has ${MAX_NAME_BYTES} bytes at most`);
}

/** A name for a queue that was declared without one, as RabbitMQ makes them. */
export function generatedQueueName(random: Random): string {
  return `amq.gen-${random.bytes(16).toString('base64url')}`;
}
