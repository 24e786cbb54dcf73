import type { AclClient, AclOperation, AclResourceType } from './acl.ts';
import type { Authorizer } from './authorizer.ts';

/** Answers kept of one operation on one type of resource. A client asks of few names; when they are more, all is asked anew. */
const MAX_ANSWERS = 1000;

/** What one client may do, which is asked with every request: answers are remembered until somebody's rights change. */
export class ClientAccess {
  readonly client: AclClient;
  readonly #authorizer: Authorizer;
  readonly #answers = new Map<string, Map<string, boolean>>();
  #version: number;

  /** Made by `Authorizer`. */
  constructor(authorizer: Authorizer, client: AclClient) {
    this.client = client;
    this.#authorizer = authorizer;
    this.#version = authorizer.version;
  }

  /** Nobody is refused anything. */
  get isUnlimited(): boolean {
    return !this.#authorizer.enabled;
  }

  /** Another one when what clients may do has changed. */
  get version(): number {
    return this.#authorizer.version;
  }

  may(operation: AclOperation, type: AclResourceType, name: string): boolean {
    const authorizer = this.#authorizer;
    if (!authorizer.enabled) return true;
    if (this.#version !== authorizer.version) {
      this.#answers.clear();
      this.#version = authorizer.version;
    }
    const kind = `${type} ${operation}`;
    let answers = this.#answers.get(kind);
    const known = answers?.get(name);
    if (known !== undefined) return known;
    if (answers === undefined) {
      answers = new Map();
      this.#answers.set(kind, answers);
    } else if (answers.size >= MAX_ANSWERS) answers.clear();
    const answer = authorizer.may(this.client, operation, type, name);
    answers.set(name, answer);
    return answer;
  }

  mayAny(operation: AclOperation, type: AclResourceType): boolean {
    return this.#authorizer.mayAny(this.client, operation, type);
  }
}
