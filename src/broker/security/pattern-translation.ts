/*
 * Erlang's (PCRE's) regular expressions in JavaScript's. They have most in common; what JavaScript would read as something else is
 * translated, or refused where there is no short translation: conditions, recursion, atomic groups, back references, Unicode
 * properties, comments and modes within. `$` is the very end here, where PCRE lets a line end follow.
 */

export interface Translation {
  readonly expression: string;
  readonly flags: string;
  /** It may need a number of steps that grows fast with the length of the text. */
  readonly slow: boolean;
}

/** `*`, `+` and `{n,m}` in one expression that are fast enough on a name of 255 bytes: with each, the steps may be multiplied by that. */
const MAX_FAST_REPEATS = 2;
/** `?` likewise: with each, the steps may double. */
const MAX_FAST_OPTIONS = 8;

/** Members of POSIX's classes, which JavaScript does not have. */
const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  ascii: '\\0-\\x7f',
  blank: ' \\t',
  cntrl: '\\0-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: ' \\t-\\r',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

/** Escapes that mean the same inside of a class and outside, or need other members in JavaScript. */
const CLASS_ESCAPES: Readonly<Record<string, string>> = {
  d: '\\d',
  D: '\\D',
  w: '\\w',
  W: '\\W',
  s: ' \\t-\\r',
  S: '\\0-\\x08\\x0e-\\x1f!-\\xff',
  n: '\\n',
  r: '\\r',
  t: '\\t',
  f: '\\f',
};
const GROUPS: readonly (readonly [pcre: RegExp, javaScript: string])[] = [
  [/\(\?(:|=|!|<=|<!)/y, '(?$1'],
  [/\(\?P?<([A-Za-z_]\w*)>/y, '(?<$1>'],
];
const QUANTIFIER = /(?:([*+])|(\?)|\{(\d+)(,?)(\d*)\})(\?|\+)?/y;
const POSIX_CLASS = /\[:([^\]]*?):\]/y;
const HEX = /x([0-9A-Fa-f]{2})/y;

/** Throws an `Error` that says what is not supported. What is no regular expression at all may be found by JavaScript only. */
export function translatePattern(source: string): Translation {
  return new Translator(source).translate();
}

/** What is known of a group that is open: whether repeating it may cost much. */
interface Group {
  varied: boolean;
}

class Translator {
  readonly #source: string;
  #at = 0;
  #out = '';
  #repeats = 0;
  #options = 0;
  #slow = false;
  /** Those that are open, and the expression itself. */
  readonly #groups: Group[] = [{ varied: false }];

  constructor(source: string) {
    this.#source = source;
  }

  translate(): Translation {
    const ignoresCase = this.#source.startsWith('(?i)');
    if (ignoresCase) this.#at = 4;
    while (this.#at < this.#source.length) this.#atom();
    return {
      expression: this.#out,
      flags: ignoresCase ? 'i' : '',
      slow: this.#slow || this.#repeats > MAX_FAST_REPEATS || this.#options > MAX_FAST_OPTIONS,
    };
  }

  #atom(): void {
    const character = this.#source.charAt(this.#at);
    let closed: Group | undefined;
    switch (character) {
      case '\\':
        this.#escape();
        break;
      case '[':
        this.#class();
        break;
      case '(':
        this.#open();
        return;
      case ')':
        this.#at++;
        this.#out += ')';
        // One that was never opened is JavaScript's to refuse.
        closed = this.#groups.length > 1 ? this.#groups.pop() : undefined;
        if (closed?.varied) this.#mark();
        break;
      case '|':
        this.#at++;
        this.#out += '|';
        this.#mark();
        return;
      case '.':
        this.#at++;
        this.#out += '[^\\n]';
        break;
      case '{':
      case '}':
      case ']':
        if (this.#match(QUANTIFIER) !== undefined) throw new Error('there is nothing to repeat before {...}');
        // What is not where it has a meaning stands for itself.
        this.#at++;
        this.#out += `\\${character}`;
        break;
      default:
        this.#at++;
        this.#out += character;
    }
    this.#quantifier(closed);
  }

  /** What is in the group that is open can match in several ways. */
  #mark(): void {
    const group = this.#groups.at(-1);
    if (group !== undefined) group.varied = true;
  }

  #quantifier(group: Group | undefined): void {
    const found = this.#match(QUANTIFIER);
    if (found === undefined) return;
    const [text, repeat, option, least, comma, most, mode] = found;
    if (mode === '+') throw new Error(`'${text}' is not supported: it never gives back`);
    this.#out += text;
    if (option !== undefined) {
      this.#options++;
      this.#mark();
      return;
    }
    const fixed = repeat === undefined && comma === '';
    const times = repeat !== undefined || (!fixed && most === '') ? Infinity : Number(fixed ? least : most);
    if (times <= 1) return;
    if (group?.varied) this.#slow = true;
    if (fixed) return;
    this.#repeats++;
    this.#mark();
  }

  #open(): void {
    this.#groups.push({ varied: false });
    for (const [pcre, javaScript] of GROUPS) {
      const found = this.#match(pcre);
      if (found === undefined) continue;
      this.#out += javaScript.replace('$1', () => found[1] ?? '');
      return;
    }
    const next = this.#source.charAt(this.#at + 1);
    if (next === '?' || next === '*')
      throw new Error(`'${this.#source.slice(this.#at, this.#at + 4)}' is not supported`);
    this.#at++;
    this.#out += '(';
  }

  #escape(): void {
    const letter = this.#source.charAt(this.#at + 1);
    if (letter === 'A' || letter === 'z' || letter === 'Z') {
      this.#at += 2;
      this.#out += letter === 'A' ? '^' : '$';
    } else if (letter === 'b' || letter === 'B') {
      this.#at += 2;
      this.#out += `\\${letter}`;
    } else if (letter === 's' || letter === 'S') {
      this.#at += 2;
      this.#out += `[${CLASS_ESCAPES[letter]}]`;
    } else this.#out += this.#plainEscape();
  }

  /** An escape that stands for a character, or for a class of JavaScript's own. */
  #plainEscape(): string {
    this.#at++;
    const hex = this.#match(HEX);
    if (hex !== undefined) return `\\x${hex[1]}`;
    const letter = this.#source.charAt(this.#at);
    if (letter === '') throw new Error('it ends in a backslash');
    this.#at++;
    const known = CLASS_ESCAPES[letter];
    if (known !== undefined) return known;
    if (/[A-Za-z0-9]/.test(letter)) throw new Error(`'\\${letter}' is not supported`);
    return `\\${letter}`;
  }

  #class(): void {
    this.#at++;
    let out = '[';
    if (this.#source.charAt(this.#at) === '^') {
      this.#at++;
      out += '^';
    }
    for (let first = true; ; first = false) {
      const character = this.#source.charAt(this.#at);
      if (character === '') throw new Error("a '[' without its ']'");
      if (character === ']' && !first) break;
      if (character === '\\') out += this.#classEscape();
      else if (character === '[') out += this.#posixClass();
      else {
        this.#at++;
        out += character === ']' ? '\\]' : character;
      }
    }
    this.#at++;
    this.#out += `${out}]`;
  }

  #classEscape(): string {
    if (this.#source.charAt(this.#at + 1) !== 'b') return this.#plainEscape();
    this.#at += 2;
    return '\\b';
  }

  #posixClass(): string {
    const found = this.#match(POSIX_CLASS);
    if (found === undefined) {
      this.#at++;
      return '\\[';
    }
    const [text, name = ''] = found;
    const members = Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
    if (members === undefined) throw new Error(`'${text}' is not supported`);
    return members;
  }

  /** What stands here, if it is that; then it is passed. */
  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#source);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }
}
