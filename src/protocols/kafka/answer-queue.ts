import type { Socket } from 'node:net';

/** A request that is being worked on; its answer goes out when those before it have. */
export interface Pending {
  readonly bytes: number;
  readonly answersMuch: boolean;
  /** Undefined until the answer is there; empty when there is to be none. */
  answer: readonly Buffer[] | undefined;
  answerBytes: number;
}

/** The requests of a connection that are under way: their answers leave in the order in which they came. */
export class AnswerQueue {
  readonly #socket: Socket;
  readonly #onSent: () => void;
  /** Oldest first. */
  readonly #pending: Pending[] = [];
  #requestBytes = 0;
  #unanswered = 0;
  /** Bytes of answers that wait for those before them. */
  #answeredBytes = 0;
  #answeringMuch = false;
  #flushing = false;
  #closed = false;

  /** `onSent`: answers were handed to the socket, and there may be room again. */
  constructor(socket: Socket, onSent: () => void) {
    this.#socket = socket;
    this.#onSent = onSent;
  }

  /** Requests whose answers were not handed to the socket yet. */
  get length(): number {
    return this.#pending.length;
  }

  /** Bytes of those requests. */
  get requestBytes(): number {
    return this.#requestBytes;
  }

  /** Bytes of answers that the client has not taken. */
  get unsentBytes(): number {
    return this.#socket.writableLength + this.#answeredBytes;
  }

  /** Requests that are not answered yet. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** A request with a large answer is being worked on: there is one at a time. */
  get answeringMuch(): boolean {
    return this.#answeringMuch;
  }

  /** The oldest, for which all the others wait. */
  get oldest(): Pending | undefined {
    return this.#pending[0];
  }

  push(bytes: number, answersMuch: boolean): Pending {
    const pending: Pending = { bytes, answersMuch, answer: undefined, answerBytes: 0 };
    this.#pending.push(pending);
    this.#requestBytes += bytes;
    this.#unanswered++;
    if (answersMuch) this.#answeringMuch = true;
    return pending;
  }

  answered(pending: Pending, answer: readonly Buffer[]): void {
    pending.answer = answer;
    for (const chunk of answer) pending.answerBytes += chunk.length;
    this.#answeredBytes += pending.answerBytes;
    this.#unanswered--;
    if (pending.answersMuch) this.#answeringMuch = false;
    this.#flushSoon();
  }

  /** The socket is closed: nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.#pending.length = 0;
  }

  /** Answers that become ready in one turn of the event loop leave in one write. */
  #flushSoon(): void {
    if (this.#flushing || this.#pending[0]?.answer === undefined) return;
    this.#flushing = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed) return;
    const socket = this.#socket;
    socket.cork();
    let sent = 0;
    for (let next = this.#pending[sent]; next?.answer !== undefined; next = this.#pending[sent]) {
      for (const chunk of next.answer) socket.write(chunk);
      this.#requestBytes -= next.bytes;
      this.#answeredBytes -= next.answerBytes;
      sent++;
    }
    socket.uncork();
    this.#pending.splice(0, sent);
    this.#onSent();
  }
}
