export interface ConnectionNumbers {
  /** Of all clients. */
  readonly max: number;
  /** Of one address. */
  readonly maxPerAddress: number;
  /** Of addresses that have another number. */
  readonly perAddress: ReadonlyMap<string, number>;
}

/** How many clients are connected, over all listeners, and how many may be. */
export class ConnectionLimits {
  readonly #numbers: () => ConnectionNumbers;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  /** The numbers are asked for each time. */
  constructor(numbers: () => ConnectionNumbers) {
    this.#numbers = numbers;
  }

  /** Counts a connection, unless there are too many: then answers the setting that says so. */
  admit(address: string): string | undefined {
    const { max, maxPerAddress, perAddress } = this.#numbers();
    if (this.#total >= max) return 'limits.connections';
    const plain = plainAddress(address);
    const there = this.#byAddress.get(plain) ?? 0;
    if (there >= (perAddress.get(plain) ?? maxPerAddress)) return 'limits.connectionsPerAddress';
    this.#byAddress.set(plain, there + 1);
    this.#total++;
    return undefined;
  }

  /** A connection that was admitted is closed. */
  closed(address: string): void {
    const plain = plainAddress(address);
    const left = (this.#byAddress.get(plain) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(plain, left);
    else this.#byAddress.delete(plain);
    this.#total--;
  }
}

/** An address of IPv4 is one, also where a socket of IPv6 took it. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
