import { effect, type Signal, signal } from '@preact/signals';

const PREFIX = 'sluice.';

/** What somebody chose, kept by the browser; `parse` gives undefined for what cannot be. */
export function preference<Value>(
  name: string,
  parse: (text: string) => Value | undefined,
  fallback: () => Value,
  format: (value: Value) => string = String,
): Signal<Value> {
  const chosen = signal<Value>(stored(name, parse) ?? fallback());
  let first = true;
  effect(() => {
    const text = format(chosen.value);
    // What nobody chose is not kept: it follows the browser.
    if (!first) store(name, text);
    first = false;
  });
  return chosen;
}

export function stored<Value>(name: string, parse: (text: string) => Value | undefined): Value | undefined {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? undefined : parse(text);
  } catch {
    // Storage can be forbidden; then every visit is the first.
    return undefined;
  }
}

export function store(name: string, text: string): void {
  try {
    localStorage.setItem(PREFIX + name, text);
  } catch {}
}

/** For `preference`: one of these texts. */
export function oneOf<const Text extends string>(...texts: readonly Text[]) {
  return (text: string): Text | undefined => texts.find((each) => each === text);
}
