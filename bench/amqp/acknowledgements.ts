import { CHANNEL } from './connection.ts';
import { FRAME_HEADER_BYTES, longLong, METHOD, methodFrame, octet } from './frames.ts';

const PER_BLOCK = 1024;
/** Of the delivery tag, behind class and method. */
const TAG = FRAME_HEADER_BYTES + 4;

interface Block {
  readonly bytes: Buffer;
  count: number;
}

/** Blocks that were sent and may be written over, by the flag `multiple`; of all connections, for thousands of them need few. */
const free: ReadonlyMap<boolean, Block[]> = new Map([
  [false, []],
  [true, []],
]);

/** Acknowledgements that go out together, written into frames that were made before. */
export class Acknowledgements {
  readonly #frame: Buffer;
  readonly #free: Block[];
  readonly #send: (bytes: Buffer, sent: () => void) => void;
  #block: Block | undefined;

  /** `multiple`: each is for all messages up to its own. */
  constructor(multiple: boolean, send: (bytes: Buffer, sent: () => void) => void) {
    this.#frame = methodFrame(CHANNEL, METHOD.basicAck, longLong(0), octet(multiple ? 1 : 0));
    this.#free = free.get(multiple) ?? [];
    this.#send = send;
  }

  add(deliveryTag: number): void {
    this.#block ??= this.#free.pop() ?? this.#make();
    const block = this.#block;
    const at = block.count * this.#frame.length + TAG;
    block.bytes.writeUInt32BE(Math.floor(deliveryTag / 0x1_0000_0000), at);
    block.bytes.writeUInt32BE(deliveryTag >>> 0, at + 4);
    if (++block.count === PER_BLOCK) this.flush();
  }

  flush(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#block = undefined;
    this.#send(block.bytes.subarray(0, block.count * this.#frame.length), () => {
      block.count = 0;
      this.#free.push(block);
    });
  }

  #make(): Block {
    return { bytes: Buffer.concat(Array.from({ length: PER_BLOCK }, () => this.#frame)), count: 0 };
  }
}
