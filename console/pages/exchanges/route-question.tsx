import { useEffect, useState } from 'preact/hooks';
import type { ExplainedExchange, RouteAnswer } from '../../../src/protocols/http/shapes/routing.ts';
import { api } from '../../api/client.ts';
import { count, duration } from '../../format/index.ts';
import { type Argument, ArgumentsField, argumentsOf, checkArguments } from '../../kit/arguments-field.tsx';
import { Button } from '../../kit/button.tsx';
import { Badge, Panel } from '../../kit/facts.tsx';
import { Form, TextField, useForm } from '../../kit/form.tsx';
import { place, setQuery, url } from '../../location.ts';
import { exchangeWords, messageWords, routeWords } from '../../words/queues.ts';

interface RouteQuestionProps {
  readonly vhost: string;
  /** Asked for where it is not given. */
  readonly exchange?: string;
  readonly exchanges?: readonly string[];
  readonly onAnswer?: (answer: RouteAnswer | undefined) => void;
}

/** Parameters of the address that keep the question. */
const KEPT = { asked: 'asked', exchange: 'from', key: 'key', headers: 'headers' };

/** Asks where a message would go, and says it with the reasons. The question is in the address: it can be kept, and sent to others. */
export function RouteQuestion({ vhost, exchange, exchanges = [], onAnswer }: RouteQuestionProps) {
  const [answer, setAnswer] = useState<RouteAnswer>();
  const tell = (told: RouteAnswer | undefined) => {
    setAnswer(told);
    onAnswer?.(told);
  };
  const form = useForm({
    initial: {
      exchange: exchange ?? kept(KEPT.exchange) ?? '',
      key: kept(KEPT.key) ?? '',
      headers: keptHeaders(),
    },
    validate: ({ headers }) => ({ headers: checkArguments(headers) }),
    submit: async ({ exchange: name, key, headers }) => {
      const asked = { routing_key: key, ...(headers.length > 0 && { headers: argumentsOf(headers) }) };
      setQuery({
        ...{ [KEPT.asked]: '1', [KEPT.key]: key, [KEPT.exchange]: exchange === undefined ? name : undefined },
        [KEPT.headers]: headers.length === 0 ? undefined : JSON.stringify(headers),
      });
      tell(await api.post<RouteAnswer>(url`/exchanges/${vhost}/${name === '' ? 'amq.default' : name}/route`, asked));
    },
  });
  // Asked once, when somebody comes by such an address.
  useEffect(() => {
    if (kept(KEPT.asked) !== undefined) void form.submit();
  }, []);
  const clear = () => {
    setQuery(Object.fromEntries(Object.values(KEPT).map((name) => [name, undefined])));
    tell(undefined);
  };
  return (
    <Panel title={routeWords.question}>
      <Form form={form} action={routeWords.ask} buttons={answer && <Button onClick={clear}>{routeWords.clear}</Button>}>
        {exchange === undefined && (
          <TextField label={exchangeWords.exchange} suggestions={exchanges} {...form.field('exchange')} />
        )}
        <TextField label={messageWords.routingKey} monospace {...form.field('key')} />
        <ArgumentsField label={messageWords.headers} {...form.field('headers')} />
      </Form>
      <div aria-live="polite">{answer && <Answer answer={answer} />}</div>
    </Panel>
  );
}

function kept(name: string): string | undefined {
  return place.value.query.get(name) ?? undefined;
}

/** None where the address was made up. */
function keptHeaders(): readonly Argument[] {
  try {
    const headers: unknown = JSON.parse(kept(KEPT.headers) ?? '[]');
    return Array.isArray(headers) ? (headers as readonly Argument[]) : [];
  } catch {
    return [];
  }
}

const MOST = 100;

function Answer({ answer }: { readonly answer: RouteAnswer }) {
  const { queues, exchanges, vhost, delay, internal, routed } = answer;
  return (
    <div class="route-answer">
      <h3>{routed ? routeWords.delivered(queues.length, count(queues.length)) : routeWords.unrouted}</h3>
      {delay > 0 && <p>{routeWords.delayed(duration(delay))}</p>}
      {internal && <p>{routeWords.internal}</p>}
      <ul>
        {queues.slice(0, MOST).map(({ name, paths }) => (
          <li key={name}>
            <a href={url`/queues/${vhost}/${name}`}>{name}</a>
            {paths.map((steps) => {
              const way = steps.map(({ from, via, routing_key: key }) => stepText(from, via, key)).join(' → ');
              return (
                <span key={way} class="sub mono">
                  {way} → {name}
                </span>
              );
            })}
          </li>
        ))}
      </ul>
      {exchanges.length > 0 && <h3>{routeWords.why}</h3>}
      {exchanges.map((exchange) => (
        <Why key={exchange.name} exchange={exchange} />
      ))}
      {answer.cut && <p class="muted">{routeWords.cut}</p>}
    </div>
  );
}

function stepText(from: string, via: string, key: string | null): string {
  const name = from === '' ? exchangeWords.default : from;
  if (via === 'alternate') return `${name} (${routeWords.alternate})`;
  return key === null || key === '' ? name : `${name} [${key}]`;
}

function Why({ exchange }: { readonly exchange: ExplainedExchange }) {
  const { name, type, bindings, alternate_use: use, dead_end: isDeadEnd, unmatched } = exchange;
  return (
    <section>
      <h4>
        {name} <Badge>{type}</Badge>
      </h4>
      {use === 'followed' && <p>{routeWords['alternate-followed']}</p>}
      {use === 'missing' && <p>{routeWords['alternate-missing']}</p>}
      {isDeadEnd && <p>{routeWords.deadEnd}</p>}
      <ul>
        {bindings.slice(0, MOST).map((binding) => (
          <li
            key={`${binding.destination_type} ${binding.destination} ${binding.routing_key} ${JSON.stringify(binding.arguments)}`}
          >
            <Badge tone={binding.matches ? 'good' : 'plain'}>
              {binding.matches ? routeWords.matches : routeWords.differs}
            </Badge>{' '}
            {binding.destination} <span class="mono">{binding.routing_key}</span>{' '}
            <span class="muted">
              {routeWords[binding.reason]}
              {binding.header !== null && `: ${binding.header}`}
            </span>
          </li>
        ))}
      </ul>
      {unmatched > MOST && <p class="muted">{routeWords.unmatched(unmatched, count(unmatched))}</p>}
    </section>
  );
}
