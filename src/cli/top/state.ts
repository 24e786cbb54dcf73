import { VIEWS, type View } from './views.ts';

/** What the keys have set. */
export interface TopState {
  /** An index of `VIEWS`. */
  readonly view: number;
  /** Of each view, the column that it is sorted by. */
  readonly sort: readonly SortedBy[];
  /** Of names; empty for all. */
  readonly filter: string;
  /** What is being typed for it; undefined when nothing is. */
  readonly typing: string | undefined;
  /** The first row that is shown. */
  readonly offset: number;
  readonly paused: boolean;
  readonly help: boolean;
  readonly intervalMs: number;
}

export interface SortedBy {
  readonly column: number;
  readonly descending: boolean;
}

const INTERVALS_MS: readonly number[] = [250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const MAX_FILTER = 255;

export function initialState(given: Partial<TopState> = {}): TopState {
  return {
    ...{ view: 0, filter: '', typing: undefined, offset: 0, paused: false, help: false, intervalMs: 2000 },
    sort: VIEWS.map(({ sort }) => ({ column: sort, descending: sort !== 0 })),
    ...given,
  };
}

export function viewOf({ view }: TopState): View {
  // An index of it.
  return VIEWS[view] as View;
}

export function sortOf({ view, sort }: TopState): SortedBy {
  return sort[view] ?? { column: 0, descending: false };
}

/** What a key does; undefined when it ends the program. `page` is how many rows are shown. */
export function press(state: TopState, key: string, page: number): TopState | undefined {
  if (key === 'ctrl-c') return undefined;
  if (state.typing !== undefined) return type(state, state.typing, key);
  if (state.help) return { ...state, help: false };
  switch (key) {
    case 'q':
      return undefined;
    case '?':
    case 'h':
      return { ...state, help: true };
    case '/':
      return { ...state, typing: state.filter };
    case 'escape':
      return { ...state, filter: '', offset: 0 };
    case 'tab':
      return show(state, state.view + 1);
    case 'shift-tab':
      return show(state, state.view - 1);
    case 'right':
    case '>':
      return sortBy(state, 1);
    case 'left':
    case '<':
      return sortBy(state, -1);
    case 'r':
      return reverse(state);
    case ' ':
    case 'p':
      return { ...state, paused: !state.paused };
    case '+':
      return { ...state, intervalMs: INTERVALS_MS.findLast((ms) => ms < state.intervalMs) ?? state.intervalMs };
    case '-':
      return { ...state, intervalMs: INTERVALS_MS.find((ms) => ms > state.intervalMs) ?? state.intervalMs };
    case 'up':
    case 'k':
      return scroll(state, -1);
    case 'down':
    case 'j':
      return scroll(state, 1);
    case 'page-up':
      return scroll(state, -page);
    case 'page-down':
      return scroll(state, page);
    case 'home':
    case 'g':
      return { ...state, offset: 0 };
    default: {
      const digit = /^[1-9]$/.test(key) ? Number(key) - 1 : -1;
      return VIEWS[digit] === undefined ? state : show(state, digit);
    }
  }
}

function type(state: TopState, typed: string, key: string): TopState {
  if (key === 'enter') return { ...state, filter: typed, typing: undefined, offset: 0 };
  if (key === 'escape') return { ...state, typing: undefined };
  if (key === 'backspace') return { ...state, typing: [...typed].slice(0, -1).join('') };
  const isCharacter = [...key].length === 1;
  return isCharacter && typed.length < MAX_FILTER ? { ...state, typing: typed + key } : state;
}

function show(state: TopState, view: number): TopState {
  return { ...state, view: (view + VIEWS.length) % VIEWS.length, offset: 0 };
}

function sortBy(state: TopState, step: number): TopState {
  const { columns } = viewOf(state);
  const column = (sortOf(state).column + step + columns.length) % columns.length;
  // The largest numbers first, names from A on.
  return withSort(state, { column, descending: columns[column]?.numeric === true });
}

function reverse(state: TopState): TopState {
  const { column, descending } = sortOf(state);
  return withSort(state, { column, descending: !descending });
}

function withSort(state: TopState, sorted: SortedBy): TopState {
  return { ...state, sort: state.sort.with(state.view, sorted), offset: 0 };
}

/** The end of the list is not known here: what is drawn does not go beyond it. */
function scroll(state: TopState, rows: number): TopState {
  return { ...state, offset: Math.max(0, state.offset + rows) };
}
