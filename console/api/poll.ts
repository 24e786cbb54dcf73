import { useEffect, useRef, useState } from 'preact/hooks';
import { oneOf, preference } from '../preferences.ts';
import { address, api, type Query } from './client.ts';
import { connected } from './connectivity.ts';
import { type ApiError, isAbort, toApiError } from './errors.ts';
import { pulse } from './pulse.ts';

/** Milliseconds between two askings, which the user chooses; 0 is never. */
export const refreshEvery = preference<number>(
  'refresh',
  (text) => Number(oneOf('0', '1000', '5000', '30000')(text) ?? '5000'),
  () => 5000,
);

export interface PollOptions {
  readonly query?: Query;
  /** Milliseconds; what the user chose when it is not given; 0 asks once. */
  readonly every?: number;
}

export interface Polled<Answer> {
  /** The last answer: kept while the next is under way, and when that fails. */
  readonly data: Answer | undefined;
  /** Of the last asking. */
  readonly error: ApiError | undefined;
  readonly loading: boolean;
  /** Asks now. */
  refresh(): void;
}

interface Answered<Answer> {
  readonly path: string | undefined;
  readonly data?: Answer;
  readonly error?: ApiError;
}

/**
 * What the broker answers to GET, asked again and again while the page is seen and the broker there; one asking at a time. Nothing is asked
 * for while `path` is undefined. When the path becomes another, the old answer goes; when only the query does, it stays until the next comes.
 */
export function usePoll<Answer>(path: string | undefined, { query, every }: PollOptions = {}): Polled<Answer> {
  const [answered, setAnswered] = useState<Answered<Answer>>({ path });
  const [loading, setLoading] = useState(path !== undefined);
  const refresh = useRef(() => {});
  const period = every ?? refreshEvery.value;
  const whole = path === undefined ? undefined : address(path, query);
  const beats = pulse.value;

  // Of its dependencies `whole` stands for path and query, and `beats` starts it anew.
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let under = false;
    let again = false;
    const ask = async () => {
      clearTimeout(timer);
      if (under) {
        again = true;
        return;
      }
      under = true;
      setLoading(true);
      let failed = false;
      try {
        const data = await api.get<Answer>(path, { signal: stop.signal, ...(query && { query }) });
        setAnswered({ path, data });
      } catch (error) {
        if (isAbort(error)) return;
        const problem = toApiError(error);
        failed = problem.failure === 'gone' || problem.failure === 'signed-out';
        setAnswered((before) => ({ ...(before.path === path && before), path, error: problem }));
      }
      under = false;
      setLoading(false);
      if (again) {
        again = false;
        void ask();
      } else if (period > 0 && !failed) timer = setTimeout(seen, period);
    };
    const seen = () => {
      if (!document.hidden && connected.peek()) void ask();
    };
    const shown = () => {
      if (!document.hidden && period > 0) seen();
    };
    refresh.current = () => void ask();
    void ask();
    document.addEventListener('visibilitychange', shown);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [whole, period, beats]);

  const current: Answered<Answer> = answered.path === path ? answered : { path };
  return { data: current.data, error: current.error, loading, refresh: () => refresh.current() };
}
