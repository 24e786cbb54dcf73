import { type AclOperation, type AclResourceType, CLUSTER_NAME, type Stream } from '../../broker/index.ts';
import { HttpError, notAuthorised, notFound } from './errors.ts';
import type { Call } from './route.ts';

/** Where Kafka's brokers keep what they know: streams of these names are not for clients to change. */
const INTERNAL: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state']);

export function isInternal({ name }: Pick<Stream, 'name'>): boolean {
  return INTERNAL.has(name);
}

/** Throws 401 when the user may not do this, by the rules that hold for Kafka's clients. */
export function demand(call: Call, operation: AclOperation, type: AclResourceType, name: string): void {
  if (!call.access.may(operation, type, name)) throw refused(call, operation, type, name);
}

export function mayCluster({ access }: Call, operation: AclOperation): boolean {
  return access.may(operation, 'cluster', CLUSTER_NAME);
}

export function refused(call: Call, operation: AclOperation, type: AclResourceType, name: string): HttpError {
  return notAuthorised(`${operation} access to ${type} '${name}' refused for user '${call.user.name}'`);
}

/** The stream of the path. Throws 401 when the user may not do this to it, whether it is there or not; 404. */
export function streamOf(call: Call, operation: AclOperation): Stream {
  const name = call.param('stream');
  demand(call, operation, 'topic', name);
  const stream = call.broker.streams.get(name);
  if (stream === undefined) throw notFound();
  return stream;
}

/** Throws 403 for a stream that is the broker's own. */
export function checkChangeable(stream: Stream): void {
  if (isInternal(stream)) throw new HttpError(403, 'forbidden', `'${stream.name}' is the broker's own`);
}
