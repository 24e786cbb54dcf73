import { createContext, Script } from 'node:vm';
import { BrokerError } from '../../errors.ts';
import { translatePattern } from './pattern-translation.ts';

/** Characters of a pattern, at most; RabbitMQ has the same limit. */
export const MAX_PATTERN_LENGTH = 1024;
/** A match that takes longer is none. RabbitMQ gives up too, after a number of steps. */
const MATCH_TIMEOUT_MS = 20;
/** A machine that is busy with other things may let that much time pass by itself: then it is tried again, so often. */
const MAX_STALLS = 50;
const NOT_ASCII = /[^\0-\x7f]/;

/**
 * A regular expression as RabbitMQ reads it in permissions: in PCRE's syntax, over bytes, found anywhere in a name unless it says
 * `^` or `$`. The empty one matches the empty name alone.
 */
export class Pattern {
  readonly source: string;
  readonly #expression: RegExp;
  readonly #guarded: boolean;

  private constructor(source: string, expression: RegExp, guarded: boolean) {
    this.source = source;
    this.#expression = expression;
    this.#guarded = guarded;
  }

  /** Throws `invalid-configuration` for what is not a regular expression, or has parts that are not supported here. */
  static compile(source: string): Pattern {
    if (source === '') return new Pattern(source, /^$/, false);
    if (source.length > MAX_PATTERN_LENGTH)
      throw refusal(source.slice(0, 80), `it is longer than ${MAX_PATTERN_LENGTH} characters`);
    try {
      const { expression, flags, slow } = translatePattern(inBytes(source));
      return new Pattern(source, new RegExp(expression, flags), slow);
    } catch (error) {
      // JavaScript's begins with the translation, which nobody has written.
      const why =
        error instanceof Error ? error.message.replace(/^Invalid regular expression: \/.*\/\w*: /s, '') : String(error);
      throw refusal(source, why, error);
    }
  }

  matches(name: string): boolean {
    const bytes = inBytes(name);
    return this.#guarded ? matchesInTime(this.#expression, bytes) : this.#expression.test(bytes);
  }

  /** Which of the names match; undefined when that takes longer than so long, for all of them together. */
  matchesOf(names: readonly string[], timeoutMs: number): readonly boolean[] | undefined {
    return inContext('texts.map((text) => expression.test(text))', this.#expression, names.map(inBytes), timeoutMs);
  }
}

/** Every byte of the text in UTF-8 as a character: `.` is one byte in RabbitMQ. */
function inBytes(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text).toString('latin1') : text;
}

const sandbox: { expression: RegExp; text: string } = { expression: /^$/, text: '' };
let inTime: (() => boolean) | undefined;

/** For expressions that may need more steps than anybody can wait for. Costs a tenth of a millisecond. */
function matchesInTime(expression: RegExp, text: string): boolean {
  inTime ??= guardedTest();
  sandbox.expression = expression;
  sandbox.text = text;
  return inTime();
}

function guardedTest(): () => boolean {
  const context = createContext(sandbox);
  const script = new Script('expression.test(text)');
  return () => {
    const begun = usedMs();
    for (let stalls = 0; stalls < MAX_STALLS; stalls++) {
      try {
        return script.runInContext(context, { timeout: MATCH_TIMEOUT_MS }) === true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        if (usedMs() - begun >= MATCH_TIMEOUT_MS) break;
      }
    }
    return false;
  };
}

/** Milliseconds of the processor that this thread has had; the process, where Node cannot tell (before 23.9). */
function usedMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1000;
}

/** As `matchesInTime`, for what is asked seldom. */
function inContext(code: string, expression: RegExp, texts: string[], timeout: number): boolean[] | undefined {
  try {
    return new Script(code).runInNewContext({ expression, texts }, { timeout }) as boolean[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}

function refusal(source: string, why: string, cause?: unknown): BrokerError {
  return new BrokerError('invalid-configuration', `'${source}' cannot be used as a pattern: ${why}`, { cause });
}
