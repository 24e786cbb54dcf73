import { BrokerError } from '../../../errors.ts';

/*
 * RE2's syntax (https://github.com/google/re2/wiki/Syntax), as far as it can say anything of topic names, which are ASCII:
 * what is outside of ASCII is read and never met. Not there: Unicode classes (\p), and what RE2 does not have either, such as
 * back references and lookaround.
 */

export type PatternNode =
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { readonly kind: 'assert'; readonly what: 'begin' | 'end' | 'boundary' | 'no boundary' }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number };

/** As in RE2. */
const MAX_REPEAT = 1_000;
/** Groups within groups. */
const MAX_DEPTH = 200;
const ASCII = 128;

const DIGITS = '0-9';
const WORDS = '0-9A-Za-z_';
const SPACES = '\t\n\f\r ';
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\x00-\x7f',
  blank: '\t ',
  cntrl: '\x00-\x1f\x7f',
  digit: DIGITS,
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@[-`{-~',
  space: '\t-\r ',
  upper: 'A-Z',
  word: WORDS,
  xdigit: '0-9A-Fa-f',
};
const CLASSES: Readonly<Record<string, string>> = { d: DIGITS, w: WORDS, s: SPACES };
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const ASSERTIONS: Readonly<Record<string, Extract<PatternNode, { kind: 'assert' }>['what']>> = {
  A: 'begin',
  z: 'end',
  b: 'boundary',
  B: 'no boundary',
};

/** Throws `invalid-regular-expression`. */
export function parsePattern(expression: string): PatternNode {
  return new Parser(expression).parse();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #ignoreCase = false;
  #dotIsAll = false;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw this.#wrong('a ) without (');
    return node;
  }

  #choice(): PatternNode {
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'choice', parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#text.length && !this.#sees('|') && !this.#sees(')')) {
      if (this.#take('\\Q')) {
        const end = this.#text.indexOf('\\E', this.#at);
        const quoted = this.#text.slice(this.#at, end < 0 ? undefined : end);
        parts.push(...Array.from(quoted, (character) => this.#one(character)));
        this.#at = end < 0 ? this.#text.length : end + 2;
        // What is repeated is the last character of it.
        const last = parts.pop();
        if (last !== undefined) parts.push(this.#repeated(last));
        continue;
      }
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: 'sequence', parts };
  }

  #repeated(part: PatternNode): PatternNode {
    let node = part;
    for (let times = 0; ; times++) {
      const repeat = this.#quantifier();
      if (repeat === undefined) return node;
      if (times > 0) throw this.#wrong('a repetition of a repetition');
      // Whether as much or as little as can be is taken makes no difference to a match of the whole.
      this.#take('?');
      node = { kind: 'repeat', part: node, ...repeat };
    }
  }

  #quantifier(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    const counted = this.#match(/\{(\d{1,6})(?:(,)(\d{0,6}))?\}/y);
    if (counted === null) return undefined;
    const [, from = '', comma, to = ''] = counted;
    const min = Number(from);
    const max = comma === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to);
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY) || max < min) {
      throw this.#wrong(`a repetition of other than 0 to ${MAX_REPEAT} times, rising`);
    }
    return { min, max };
  }

  #atom(): PatternNode {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return this.#class();
    if (this.#take('.')) return { kind: 'set', set: except(this.#dotIsAll ? [] : [10]) };
    if (this.#take('^')) return { kind: 'assert', what: 'begin' };
    if (this.#take('$')) return { kind: 'assert', what: 'end' };
    if (this.#take('\\')) return this.#escape();
    const character = this.#text.charAt(this.#at++);
    if (/[*+?]/.test(character)) throw this.#wrong('nothing to repeat');
    return this.#one(character);
  }

  #group(): PatternNode {
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`more than ${MAX_DEPTH} groups within groups`);
    const { ignoreCase, dotIsAll } = { ignoreCase: this.#ignoreCase, dotIsAll: this.#dotIsAll };
    if (this.#take('?') && this.#match(/P?<\w+>/y) === null) {
      const flags = this.#match(/([imsU]*)(?:-([imsU]+))?([:)])/y);
      if (flags === null) throw this.#wrong('a group of an unknown kind');
      const [, on = '', off = '', end] = flags;
      if (on.includes('i')) this.#ignoreCase = true;
      if (on.includes('s')) this.#dotIsAll = true;
      if (off.includes('i')) this.#ignoreCase = false;
      if (off.includes('s')) this.#dotIsAll = false;
      // Flags alone hold until the end of the group that they stand in.
      if (end === ')') {
        this.#depth--;
        return { kind: 'sequence', parts: [] };
      }
    }
    const node = this.#choice();
    if (!this.#take(')')) throw this.#wrong('a ( without )');
    this.#ignoreCase = ignoreCase;
    this.#dotIsAll = dotIsAll;
    this.#depth--;
    return node;
  }

  #escape(): PatternNode {
    const name = this.#text.charAt(this.#at);
    const what = ASSERTIONS[name];
    if (what !== undefined) {
      this.#at++;
      return { kind: 'assert', what };
    }
    const members = this.#classEscape();
    if (members !== undefined) return { kind: 'set', set: members };
    return this.#one(String.fromCodePoint(this.#escapedCode()));
  }

  #class(): PatternNode {
    const inverted = this.#take('^');
    const set = new Uint8Array(ASCII);
    for (let first = true; first || !this.#sees(']'); first = false) {
      if (this.#at >= this.#text.length) throw this.#wrong('a [ without ]');
      const posix = this.#match(/\[:(\^?)(\w+):\]/y);
      if (posix !== null) {
        const members = POSIX[posix[2] ?? ''];
        if (members === undefined) throw this.#wrong(`a class that is not known, ${posix[0]}`);
        add(set, posix[1] === '^' ? inverse(setOf(members)) : setOf(members));
        continue;
      }
      if (this.#take('\\')) {
        const members = this.#classEscape();
        if (members !== undefined) {
          add(set, members);
          continue;
        }
        this.#range(set, this.#escapedCode());
        continue;
      }
      this.#range(set, this.#code());
    }
    this.#at++;
    if (this.#ignoreCase) addOtherCase(set);
    return { kind: 'set', set: inverted ? inverse(set) : set };
  }

  /** The rest of what begins with a character within a class. */
  #range(set: Uint8Array, from: number): void {
    let to = from;
    if (this.#sees('-') && this.#text.charAt(this.#at + 1) !== ']') {
      this.#at++;
      to = this.#take('\\') ? this.#escapedCode() : this.#code();
      if (to < from) throw this.#wrong('a range that runs backwards');
    }
    for (let code = from; code <= Math.min(to, ASCII - 1); code++) set[code] = 1;
  }

  #classEscape(): Uint8Array | undefined {
    const name = this.#text.charAt(this.#at);
    const members = CLASSES[name.toLowerCase()];
    if (members === undefined) return undefined;
    this.#at++;
    return name === name.toLowerCase() ? setOf(members) : inverse(setOf(members));
  }

  #escapedCode(): number {
    const hex = this.#match(/x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/y);
    if (hex !== null) return Math.min(Number.parseInt(hex[1] ?? hex[2] ?? '', 16), 0x10ffff);
    const octal = this.#match(/0[0-7]{0,2}|[1-7][0-7]{2}/y);
    if (octal !== null) return Number.parseInt(octal[0], 8);
    const name = this.#text.charAt(this.#at++);
    const control = CONTROLS[name];
    if (control !== undefined) return control;
    if (name === '' || /[0-9A-Za-z]/.test(name)) throw this.#wrong(`an escape that is not known, \\${name}`);
    return name.charCodeAt(0);
  }

  #code(): number {
    const code = this.#text.codePointAt(this.#at) ?? 0;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #one(character: string): PatternNode {
    const set = new Uint8Array(ASCII);
    const code = character.codePointAt(0) ?? ASCII;
    if (code < ASCII) set[code] = 1;
    if (this.#ignoreCase) addOtherCase(set);
    return { kind: 'set', set };
  }

  #sees(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  /** With a sticky expression. */
  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  #wrong(what: string): BrokerError {
    return new BrokerError(
      'invalid-regular-expression',
      `no regular expression of RE2, for ${what} before character ${this.#at}`,
    );
  }
}

/** Of single characters, and ranges of them. */
function setOf(members: string): Uint8Array {
  const set = new Uint8Array(ASCII);
  for (const [, from = '', to = from] of members.matchAll(/(.)(?:-(.))?/gs)) {
    set.fill(1, from.charCodeAt(0), to.charCodeAt(0) + 1);
  }
  return set;
}

function inverse(set: Uint8Array): Uint8Array {
  return set.map((member) => 1 - member);
}

function except(codes: readonly number[]): Uint8Array {
  const set = new Uint8Array(ASCII).fill(1);
  for (const code of codes) set[code] = 0;
  return set;
}

function add(set: Uint8Array, more: Uint8Array): void {
  more.forEach((member, code) => {
    if (member === 1) set[code] = 1;
  });
}

function addOtherCase(set: Uint8Array): void {
  for (let upper = 65; upper <= 90; upper++) {
    if (set[upper] === 1 || set[upper + 32] === 1) set[upper] = set[upper + 32] = 1;
  }
}
