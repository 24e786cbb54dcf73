import { BrokerError } from '../../../errors.ts';
import { type PatternNode, parsePattern } from './pattern-syntax.ts';

/*
 * Regular expressions over topic names, matched as a whole, in time that is linear in the name's length: all ways to go on are
 * followed at once (Thompson's construction, as RE2 does), so that no client's expression can hold up the broker.
 */

/** States of one expression. */
const MAX_STATES = 5_000;

type Instruction =
  | { readonly op: 'character'; readonly set: Uint8Array; readonly next: number }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'assert'; readonly what: Assertion; readonly next: number }
  | { readonly op: 'match' };

type Assertion = Extract<PatternNode, { kind: 'assert' }>['what'];

/** Steps that are left for matching; they are taken from it. */
export interface Budget {
  steps: number;
}

export class TopicPattern {
  readonly #program: Instruction[] = [{ op: 'match' }];
  readonly #start: number;
  /** By state, the last position that it was reached at, in the run that `#run` numbers. */
  readonly #reached: Float64Array;
  #run = 0;

  /** Throws `invalid-regular-expression`. */
  constructor(expression: string) {
    this.#start = this.#compile(parsePattern(expression), 0);
    this.#reached = new Float64Array(this.#program.length).fill(-1);
  }

  /** Throws `invalid-regular-expression` when there are no steps left. */
  matches(name: string, budget: Budget): boolean {
    let states: number[] = [];
    // A number for each position of each run, so that nothing has to be cleared.
    const base = this.#run;
    this.#run += name.length + 1;
    let found = this.#follow(this.#start, name, 0, base, states);
    for (let at = 0; at < name.length; at++) {
      budget.steps -= states.length + 1;
      if (budget.steps < 0) throw tooCostly();
      const code = name.charCodeAt(at);
      const reached: number[] = [];
      found = false;
      for (const state of states) {
        const instruction = this.#program[state];
        if (instruction?.op !== 'character' || instruction.set[code] !== 1) continue;
        found = this.#follow(instruction.next, name, at + 1, base + at + 1, reached) || found;
      }
      if (reached.length === 0 && !found) return false;
      states = reached;
    }
    return found;
  }

  /** Adds the states from which a character can be read; says whether the end can be reached without one. */
  #follow(start: number, name: string, at: number, mark: number, states: number[]): boolean {
    const todo = [start];
    let found = false;
    for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
      if (this.#reached[state] === mark) continue;
      this.#reached[state] = mark;
      const instruction = this.#program[state];
      switch (instruction?.op) {
        case 'character':
          states.push(state);
          break;
        case 'split':
          todo.push(instruction.first, instruction.second);
          break;
        case 'assert':
          if (holds(instruction.what, name, at)) todo.push(instruction.next);
          break;
        case 'match':
          found = true;
          break;
      }
    }
    return found;
  }

  /** Answers with the state that begins the node, and goes on with `next`. */
  #compile(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.#add({ op: 'character', set: node.set, next });
      case 'assert':
        return this.#add({ op: 'assert', what: node.what, next });
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.#compile(part, after), next);
      case 'choice':
        return node.parts
          .map((part) => this.#compile(part, next))
          .reduceRight((second, first) => this.#add({ op: 'split', first, second }));
      case 'repeat': {
        let start = next;
        if (node.max === Number.POSITIVE_INFINITY) {
          const loop: Instruction = { op: 'split', first: next, second: next };
          start = this.#add(loop);
          loop.first = this.#compile(node.part, start);
        } else {
          for (let i = node.min; i < node.max; i++) {
            start = this.#add({ op: 'split', first: this.#compile(node.part, start), second: next });
          }
        }
        for (let i = 0; i < node.min; i++) start = this.#compile(node.part, start);
        return start;
      }
    }
  }

  #add(instruction: Instruction): number {
    if (this.#program.length >= MAX_STATES) {
      throw new BrokerError(
        'invalid-regular-expression',
        `the expression has more than ${MAX_STATES} states; shorten it`,
      );
    }
    return this.#program.push(instruction) - 1;
  }
}

function holds(what: Assertion, name: string, at: number): boolean {
  switch (what) {
    case 'begin':
      return at === 0;
    case 'end':
      return at === name.length;
    case 'boundary':
      return isWord(name, at - 1) !== isWord(name, at);
    case 'no boundary':
      return isWord(name, at - 1) === isWord(name, at);
  }
}

function isWord(name: string, at: number): boolean {
  return /^\w$/.test(name.charAt(at));
}

function tooCostly(): BrokerError {
  return new BrokerError(
    'invalid-regular-expression',
    'the expression takes too many steps over all topics; make it simpler',
  );
}
