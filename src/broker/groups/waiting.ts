import type { BrokerError } from '../../errors.ts';
import type { Member } from './member.ts';

/** Members that wait for an answer. One that asks again, because its connection was lost, waits for the same answer. */
export class Waiting<T> {
  readonly #answers = new Map<Member, PromiseWithResolvers<T>>();

  get size(): number {
    return this.#answers.size;
  }

  has(member: Member): boolean {
    return this.#answers.has(member);
  }

  wait(member: Member): Promise<T> {
    let answer = this.#answers.get(member);
    if (answer === undefined) {
      answer = Promise.withResolvers();
      this.#answers.set(member, answer);
    }
    return answer.promise;
  }

  /** Says whether the member was waiting. */
  answer(member: Member, value: T): boolean {
    this.#answers.get(member)?.resolve(value);
    return this.#answers.delete(member);
  }

  /** Says whether the member was waiting. */
  refuse(member: Member, error: BrokerError): boolean {
    this.#answers.get(member)?.reject(error);
    return this.#answers.delete(member);
  }
}
