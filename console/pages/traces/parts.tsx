import type { TraceActor, TracePlace } from '../../../src/protocols/http/shapes/traces.ts';
import { count } from '../../format/index.ts';
import { url } from '../../location.ts';
import { stepWords, traceWords } from '../../words/traces.ts';

/** Where a message lies, with a link to it. */
export function PlaceLink({ place }: { readonly place: TracePlace }) {
  const { kind, vhost, name, partition = 0, offset } = place;
  if (kind === 'delayed') return <a href="/delayed">{stepWords.heldMessages}</a>;
  if (kind === 'queue')
    return (
      <span>
        <a href={url`/queues/${vhost}/${name}`}>{name}</a>{' '}
        <span class="muted">{stepWords.position(count(offset))}</span>
      </span>
    );
  return (
    <span>
      <a href={url`/streams/${name}`}>{name}</a>{' '}
      <span class="muted">{stepWords.partition(count(partition), count(offset))}</span>
    </span>
  );
}

/** Who did it, with a link to the connection, which may be gone by now. */
export function By({ actor }: { readonly actor: TraceActor }) {
  const { protocol, user, connection, client } = actor;
  const name = client ?? connection;
  return (
    <span>
      {user !== undefined && <strong>{user}</strong>} <span class="badge">{protocol}</span>{' '}
      {connection !== undefined ? <a href={url`/connections/${connection}`}>{name}</a> : name}
    </span>
  );
}

export function exchangeName(name: string): string {
  return name === '' ? traceWords.defaultExchange : name;
}
