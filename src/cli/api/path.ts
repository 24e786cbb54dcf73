/** A path of the API: what varies is quoted, so that a queue may be named `a/b`. */
export function path(parts: TemplateStringsArray, ...names: readonly (string | number)[]): string {
  return parts.reduce((whole, part, index) => whole + encodeURIComponent(names[index - 1] ?? '') + part);
}

/** The default exchange has no name; in paths it stands like this. */
const DEFAULT_EXCHANGE = 'amq.default';

export function exchangeInPath(name: string): string {
  return name === '' ? DEFAULT_EXCHANGE : name;
}
