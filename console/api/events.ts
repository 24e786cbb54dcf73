import { useEffect, useRef, useState } from 'preact/hooks';
import { address, type Query, request } from './client.ts';
import { returns } from './connectivity.ts';
import { type ApiError, isAbort, toApiError } from './errors.ts';
import { parseEvent, type ServerEvent } from './event-block.ts';

export type { ServerEvent } from './event-block.ts';

export interface EventsOptions {
  readonly query?: Query;
  /** Several at once: what came together is handed over together. */
  onEvents(events: readonly ServerEvent[]): void;
}

export interface Events {
  readonly state: 'connecting' | 'open' | 'waiting' | 'stopped';
  /** Why it waits or stopped. */
  readonly error: ApiError | undefined;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** Of one event: more than the largest message that a page shows. */
const MAX_EVENT_CHARACTERS = 64 * 1024 * 1024;

/**
 * Server-sent events while `path` is given. A stream that ends is asked for again, from the last id on; one that is refused is not.
 * It goes by fetch, not by EventSource, which tells nobody why it was refused.
 */
export function useEvents(path: string | undefined, { query, onEvents }: EventsOptions): Events {
  const [state, setState] = useState<Events>({ state: 'connecting', error: undefined });
  const handler = useRef(onEvents);
  handler.current = onEvents;
  const whole = path === undefined ? undefined : address(path, query);
  const last = useRef<{ readonly whole: string | undefined; readonly id: string | undefined }>({
    whole,
    id: undefined,
  });
  const back = returns.value;

  // Of its dependencies `whole` stands for path and query, and `back` starts it anew.
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (last.current.whole !== whole) last.current = { whole, id: undefined };
    let waitMs = FIRST_WAIT_MS;
    const open = async () => {
      setState({ state: 'connecting', error: undefined });
      let problem: ApiError | undefined;
      const lastId = last.current.id;
      try {
        const response = await request('GET', path, {
          signal: stop.signal,
          headers: { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) },
          ...(query && { query }),
        });
        setState({ state: 'open', error: undefined });
        waitMs = FIRST_WAIT_MS;
        for await (const events of eventsOf(response)) {
          last.current = { whole, id: events.findLast(({ id }) => id !== undefined)?.id ?? last.current.id };
          handler.current(events);
        }
      } catch (error) {
        if (isAbort(error) || stop.signal.aborted) return;
        problem = toApiError(error);
      }
      if (stop.signal.aborted) return;
      if (problem !== undefined && problem.status >= 400 && problem.status < 500) {
        setState({ state: 'stopped', error: problem });
        return;
      }
      setState({ state: 'waiting', error: problem });
      timer = setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    };
    void open();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [whole, back]);
  return state;
}

/** The events of an answer, by what arrived together. */
async function* eventsOf(response: Response): AsyncGenerator<readonly ServerEvent[]> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARACTERS) throw new Error('an event is too large');
    const events = blocks.map(parseEvent).filter((each) => each !== undefined);
    if (events.length > 0) yield events;
  }
}
