import type { TraceStep } from '../../../src/protocols/http/shapes/traces.ts';
import { count, duration, exactTime } from '../../format/index.ts';
import type { Tone } from '../../kit/facts.tsx';
import { url } from '../../location.ts';
import { stepWords } from '../../words/traces.ts';
import { By, exchangeName, PlaceLink } from './parts.tsx';

/** What happened, one step under the other. */
export function Timeline({ steps }: { readonly steps: readonly TraceStep[] }) {
  const first = steps[0]?.time ?? 0;
  return (
    <ol class="timeline">
      {steps.map((step, index) => (
        <li key={index} class={toneOf(step)}>
          <p class="when">
            <time dateTime={new Date(step.time).toISOString()}>{exactTime(step.time)}</time>
            {step.time > first && <span class="muted"> {stepWords.after(duration(step.time - first))}</span>}
          </p>
          <h3>{titleOf(step)}</h3>
          <Details step={step} />
        </li>
      ))}
    </ol>
  );
}

function Details({ step }: { readonly step: TraceStep }) {
  const { place, by, from, exchange, routing_key: key, group } = step;
  const notes = notesOf(step);
  return (
    <>
      {exchange !== undefined && (
        <p>
          {exchange === '' ? (
            exchangeName(exchange)
          ) : (
            <a href={url`/exchanges/${step.vhost ?? '/'}/${exchange}`}>{exchange}</a>
          )}
          {key !== undefined && key !== '' && <span class="mono"> {key}</span>}
        </p>
      )}
      {place && (
        <p>
          <PlaceLink place={place} />
        </p>
      )}
      {from && (
        <p>
          {stepWords.fromPlace} <PlaceLink place={from} />
        </p>
      )}
      {by && (
        <p>
          <By actor={by} />
        </p>
      )}
      {group !== undefined && (
        <p>
          <a href={url`/groups/${group}`}>{stepWords.group(group)}</a>
        </p>
      )}
      {notes.length > 0 && <p class="muted">{notes.join(', ')}</p>}
    </>
  );
}

function titleOf({ type, how }: TraceStep): string {
  if (how === 'dead-lettered') return stepWords.deadLettered;
  return how === 'due' || how === 'moved' ? stepWords[how] : stepWords[type];
}

/** What there is to say beside who and where. */
function notesOf(step: TraceStep): string[] {
  const { outcome, due_at: dueAt, consumer, delivery_count: times = 0, records, committed_offset: committed } = step;
  const notes: (string | undefined | false)[] = [
    outcome && stepWords[outcome],
    dueAt !== undefined && stepWords.dueAt(exactTime(dueAt)),
    consumer !== undefined && consumer !== '' && stepWords.consumer(consumer),
    step.redelivered && stepWords.redelivered,
    times > 0 && stepWords.again(count(times)),
    step.no_ack && stepWords.noAck,
    step.reason && reasonOf(step.reason),
    step.type === 'left' && step.reason !== 'removed' && (step.dead_lettered ? stepWords.asLetter : stepWords.dropped),
    records !== undefined && stepWords.records(records, count(records)),
    committed !== undefined && stepWords.upTo(count(committed)),
    step.settlement && settlementOf(step.settlement),
  ];
  return notes.filter((note) => typeof note === 'string');
}

function reasonOf(reason: NonNullable<TraceStep['reason']>): string {
  switch (reason) {
    case 'rejected':
      return stepWords.reasonRejected;
    case 'expired':
      return stepWords.reasonExpired;
    case 'maxlen':
      return stepWords.reasonMaxlen;
    case 'delivery_limit':
      return stepWords.reasonLimit;
    case 'removed':
      return stepWords.reasonRemoved;
  }
}

function settlementOf(settlement: NonNullable<TraceStep['settlement']>): string {
  const { accepted, released, reasonRejected, renewed } = stepWords;
  return { accepted, released, rejected: reasonRejected, renewed }[settlement];
}

function toneOf({ type, outcome, settlement }: TraceStep): Tone {
  if (type === 'lost' || outcome === 'refused' || outcome === 'unroutable') return 'bad';
  if (type === 'rejected' || type === 'left' || type === 'purged' || settlement === 'rejected') return 'bad';
  if (type === 'requeued' || settlement === 'released') return 'warn';
  if (type === 'acknowledged' || type === 'committed' || settlement === 'accepted') return 'good';
  return type === 'delivered' || type === 'fetched' || type === 'acquired' ? 'info' : 'plain';
}
