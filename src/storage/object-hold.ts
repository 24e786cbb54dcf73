export interface ObjectHoldOptions {
  /** These were to be deleted while they were held. */
  readonly deleteAgain: (names: readonly string[]) => void;
  readonly onEnd: () => void;
}

/** Objects that somebody copies: what is to be deleted of them waits until it is released. */
export class ObjectHold {
  /** With their bytes. */
  readonly #objects: Map<string, number>;
  readonly #options: ObjectHoldOptions;
  /** Held objects that were to be deleted, with the garbage (a name, or a prefix) that they are part of. */
  readonly #kept = new Map<string, string>();
  #keptBytes = 0;

  constructor(objects: Iterable<readonly [name: string, bytes: number]>, options: ObjectHoldOptions) {
    this.#objects = new Map(objects);
    this.#options = options;
  }

  /** Bytes that would be free but for this. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Whether the object, which is to be deleted as part of some garbage, has to stay for now. */
  keep(object: string, garbage: string): boolean {
    const bytes = this.#objects.get(object);
    if (bytes === undefined) return false;
    if (!this.#kept.has(object)) this.#keptBytes += bytes;
    this.#kept.set(object, garbage);
    return true;
  }

  /** The object was copied. */
  release(object: string): void {
    const bytes = this.#objects.get(object) ?? 0;
    this.#objects.delete(object);
    if (!this.#kept.delete(object)) return;
    this.#keptBytes -= bytes;
    this.#options.deleteAgain([object]);
  }

  end(): void {
    const garbage = new Set(this.#kept.values());
    this.#objects.clear();
    this.#kept.clear();
    this.#keptBytes = 0;
    this.#options.onEnd();
    if (garbage.size > 0) this.#options.deleteAgain([...garbage]);
  }
}
