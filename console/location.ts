import { signal } from '@preact/signals';

export interface Place {
  /** Without a slash at its end, but for the root. */
  readonly path: string;
  readonly query: URLSearchParams;
}

function here(): Place {
  const { pathname, search } = window.location;
  return { path: pathname.replace(/(?<=.)\/+$/, ''), query: new URLSearchParams(search) };
}

export const place = signal<Place>(here());

/** A path with each value quoted: url`/queues/${vhost}/${name}`. */
export function url(strings: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw({ raw: strings }, ...values.map((value) => encodeURIComponent(value)));
}

export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  const { path } = place.value;
  place.value = here();
  if (!replace && place.value.path !== path) window.scrollTo(0, 0);
}

/** Changes some parameters of the query; undefined and empty take one away. Leaves no entry in the history unless told so. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>, { replace = true } = {}): void {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes))
    if (value === undefined || value === '') query.delete(name);
    else query.set(name, value);
  const text = query.toString();
  navigate(window.location.pathname + (text && `?${text}`), { replace });
}

/** The parameters of a pattern like `/queues/:vhost/:queue` in a path; undefined when it is another path. */
export function match(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const expected = pattern.split('/');
  const parts = path.split('/');
  if (expected.length !== parts.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const name = expected[index] ?? '';
    if (!name.startsWith(':')) {
      if (name !== part) return undefined;
      continue;
    }
    try {
      found[name.slice(1)] = decodeURIComponent(part);
    } catch {
      return undefined;
    }
  }
  return found;
}

/** Links to pages of the console change the page without loading it anew. */
export function followLinks(): void {
  window.addEventListener('popstate', () => {
    place.value = here();
  });
  window.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.origin !== window.location.origin || link.target !== '' || link.download !== '') return;
    const href = link.getAttribute('href') ?? '';
    if (href.startsWith('#') || /^\/(api|metrics)\b/.test(link.pathname)) return;
    event.preventDefault();
    navigate(link.pathname + link.search + link.hash);
  });
}
