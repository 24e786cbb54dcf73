import { MAX_PATTERN_LENGTH, Pattern } from './pattern.ts';

/** Answers kept for one pattern. Names that are asked for again and again are few; when they are more, all is asked anew. */
const MAX_ANSWERS = 1000;
/** Patterns kept for one with variables: as many as there are clients with variables of their own. */
const MAX_EXPANDED = 100;

/** A pattern that remembers what it was asked. */
export class Access {
  readonly #pattern: Pattern;
  readonly #answers = new Map<string, boolean>();

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
  }

  allows(name: string): boolean {
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    const answer = this.#pattern.matches(name);
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(name, answer);
    return answer;
  }
}

/** Values for the variables of a pattern, by name. */
export type Variables = Readonly<Record<string, string>>;

/** A pattern with places for variables: `^{username}-.*` */
export class VariableAccess {
  readonly #source: string;
  readonly #expanded = new Map<string, Access>();
  /** What it is when there is no place in it. */
  readonly constant: Access | undefined;

  constructor(source: string) {
    this.#source = source;
    this.constant = /\{[A-Za-z_]/.test(source) ? undefined : new Access(Pattern.compile(source));
  }

  /** What it is with these values; undefined when they are too long for a pattern, so that nothing can match. */
  with(variables: Variables): Access | undefined {
    let source = this.#source;
    for (const [variable, value] of Object.entries(variables))
      source = source.replaceAll(`{${variable}}`, () => literally(value));
    const known = this.#expanded.get(source);
    if (known !== undefined) return known;
    if (source.length > MAX_PATTERN_LENGTH) return undefined;
    const access = new Access(Pattern.compile(source));
    if (this.#expanded.size >= MAX_EXPANDED) this.#expanded.clear();
    this.#expanded.set(source, access);
    return access;
  }
}

/** So that a value matches itself only. */
function literally(value: string): string {
  return value.replaceAll(/[\\^$.|?*+()[\]{}-]/g, '\\$&');
}
