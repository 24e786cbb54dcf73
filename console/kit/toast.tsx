import { signal } from '@preact/signals';
import { toApiError } from '../api/errors.ts';
import { common } from '../words/common.ts';
import { layoutWords } from '../words/layout.ts';
import { explain } from './explain.ts';
import { Icon } from './icon.tsx';

interface Notice {
  readonly id: number;
  readonly kind: 'good' | 'bad';
  readonly text: string;
}

const notices = signal<readonly Notice[]>([]);
const SHOWN_MS = 6_000;
/** Older ones go. */
const MOST = 4;
let count = 0;

/** Tells that something was done. Goes by itself. */
export function notify(text: string): void {
  add('good', text);
}

/** Tells what went wrong. Stays until it is dismissed. */
export function notifyError(error: unknown): void {
  const problem = toApiError(error);
  // The banner and the login page tell of these.
  if (problem.failure === 'gone' || problem.failure === 'signed-out') return;
  add('bad', explain(problem));
}

function add(kind: Notice['kind'], text: string): void {
  count += 1;
  const id = count;
  notices.value = [...notices.value.filter((each) => each.text !== text), { id, kind, text }].slice(-MOST);
  if (kind === 'good') setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number): void {
  notices.value = notices.value.filter((each) => each.id !== id);
}

export function Toasts() {
  const of = (kind: Notice['kind']) =>
    notices.value
      .filter((each) => each.kind === kind)
      .map(({ id, text }) => (
        <div key={id} class={`toast ${kind}`}>
          <Icon name={kind === 'good' ? 'check' : 'warning'} />
          <span>{text}</span>
          <button type="button" class="button quiet alone" aria-label={common.dismiss} onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ));
  return (
    <section class="toasts" aria-label={layoutWords.notices}>
      <div role="status">{of('good')}</div>
      <div role="alert">{of('bad')}</div>
    </section>
  );
}
