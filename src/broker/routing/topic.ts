import { type Binding, type Bindings, minus, type Named, plus } from './binding.ts';
import type { RoutingTable, Search } from './routing-table.ts';

/*
 * Binding keys are patterns over words that dots separate: `*` is any one word, `#` any number of words, none included.
 * The empty key has no words.
 *
 * Keys without wildcards, which are most of them in most places, are a hash map. The others are a trie over words, in which
 * a routing key is looked up the way that a nondeterministic automaton is run: word by word, with the set of all nodes that
 * could have been reached so far. A node is in that set once, however many ways lead there, so that the work is bounded by
 * nodes times words whatever the patterns are; backtracking is exponential for the likes of `#.a.#.a.#`.
 */

const ANY_WORD = '*';
const ANY_WORDS = '#';

class Node<Target extends Named> {
  readonly parent: Node<Target> | undefined;
  readonly word: string;
  /** The children for literal words: where there is only one, it stands alone, as most nodes have no second. */
  literals: Node<Target> | Map<string, Node<Target>> | undefined;
  anyWord: Node<Target> | undefined;
  anyWords: Node<Target> | undefined;
  bindings: Bindings<Target>;
  /** The step of a search that reached it last. */
  step = 0;

  constructor(parent: Node<Target> | undefined, word: string) {
    this.parent = parent;
    this.word = word;
  }

  get empty(): boolean {
    const { bindings, literals, anyWord, anyWords } = this;
    return bindings === undefined && literals === undefined && anyWord === undefined && anyWords === undefined;
  }

  literal(word: string): Node<Target> | undefined {
    const { literals } = this;
    if (literals === undefined) return undefined;
    if (literals instanceof Map) return literals.get(word);
    return literals.word === word ? literals : undefined;
  }

  child(word: string): Node<Target> | undefined {
    if (word === ANY_WORD) return this.anyWord;
    return word === ANY_WORDS ? this.anyWords : this.literal(word);
  }

  grow(word: string): Node<Target> {
    const child = new Node(this, word);
    if (word === ANY_WORD) this.anyWord = child;
    else if (word === ANY_WORDS) this.anyWords = child;
    else if (this.literals === undefined) this.literals = child;
    else if (this.literals instanceof Map) this.literals.set(word, child);
    else this.literals = new Map([[this.literals.word, this.literals] as const, [word, child] as const]);
    return child;
  }

  prune(child: Node<Target>): void {
    if (child === this.anyWord) this.anyWord = undefined;
    else if (child === this.anyWords) this.anyWords = undefined;
    else if (child === this.literals) this.literals = undefined;
    else if (this.literals instanceof Map && this.literals.delete(child.word) && this.literals.size === 0) {
      this.literals = undefined;
    }
  }
}

export class TopicTable<Target extends Named> implements RoutingTable<Target> {
  readonly #exact = new Map<string, Bindings<Target>>();
  readonly #patterns = new Node<Target>(undefined, '');
  /** Counts the steps of all searches. */
  #step = 0;
  /** Nodes reached by the words so far, and with the next one; here so that they need not be made for each search. */
  #reached: Node<Target>[] = [];
  #next: Node<Target>[] = [];

  check(): void {}

  add(binding: Binding<Target>): void {
    const { key } = binding;
    const words = wordsOf(key);
    if (!isPattern(words)) {
      this.#exact.set(key, plus(this.#exact.get(key), binding));
      return;
    }
    let node = this.#patterns;
    for (const word of words) node = node.child(word) ?? node.grow(word);
    node.bindings = plus(node.bindings, binding);
  }

  remove(binding: Binding<Target>): void {
    const { key } = binding;
    const words = wordsOf(key);
    if (isPattern(words)) {
      this.#removePattern(words, binding);
      return;
    }
    const left = minus(this.#exact.get(key), binding);
    if (left === undefined) this.#exact.delete(key);
    else this.#exact.set(key, left);
  }

  match(search: Search<Target>): void {
    for (const key of search.keys) {
      search.foundAll(this.#exact.get(key));
      if (!this.#patterns.empty) this.#matchPatterns(wordsOf(key), search);
    }
  }

  #removePattern(words: readonly string[], binding: Binding<Target>): void {
    let node: Node<Target> | undefined = this.#patterns;
    for (const word of words) node = node?.child(word);
    if (node === undefined) return;
    node.bindings = minus(node.bindings, binding);
    while (node.parent !== undefined && node.empty) {
      node.parent.prune(node);
      node = node.parent;
    }
  }

  #matchPatterns(words: readonly string[], search: Search<Target>): void {
    this.#step++;
    this.#next.length = 0;
    this.#reach(this.#patterns);
    for (const word of words) {
      const reached = this.#next;
      this.#next = this.#reached;
      this.#reached = reached;
      if (reached.length === 0) return;
      this.#step++;
      this.#next.length = 0;
      for (const node of reached) {
        if (node.word === ANY_WORDS) this.#reach(node);
        const literal = node.literal(word);
        if (literal !== undefined) this.#reach(literal);
        if (node.anyWord !== undefined) this.#reach(node.anyWord);
      }
    }
    for (const node of this.#next) search.foundAll(node.bindings);
  }

  /** With the node, those that are reached without a further word. */
  #reach(node: Node<Target>): void {
    let each: Node<Target> | undefined = node;
    while (each !== undefined && each.step !== this.#step) {
      each.step = this.#step;
      this.#next.push(each);
      each = each.anyWords;
    }
  }
}

function wordsOf(key: string): readonly string[] {
  return key === '' ? [] : key.split('.');
}

function isPattern(words: readonly string[]): boolean {
  return words.includes(ANY_WORD) || words.includes(ANY_WORDS);
}
