import { headers, type MsgHdrs } from '@nats-io/transport-node';

/*
 * What a commit log writes to its stream. Every message says who wrote it; its payload is opaque.
 *
 *   Nats-Expected-Last-Sequence  the sequence before the one that this message is for: the fence
 *   Sluice-Kind    group      a group of entries, or a part of one
 *                  take-over  the first messages of a writer, which end the writers before it. No payload
 *                  mark       proves that its writer was not deposed when it was stored. No payload
 *   Sluice-Epoch   the writer's epoch: greater than that of all writers before it
 *   Sluice-Writer  a UUID; with the sequence it identifies the message, however often it was sent
 *   Sluice-Part    `2/3`: the second of three consecutive messages that make one group; absent from a group in one message
 */

export type MessageKind = 'group' | 'take-over' | 'mark';

export interface Author {
  readonly writer: string;
  readonly epoch: number;
}

export interface MessageHeader extends Author {
  readonly kind: MessageKind;
  /** From 1 to `parts`. */
  readonly part: number;
  readonly parts: number;
}

/** A message's headers count towards the server's `max_payload`; ours stay well below this. */
export const MAX_HEADER_BYTES = 1024;

const EXPECTED_LAST_SEQUENCE = 'Nats-Expected-Last-Sequence';
const KIND = 'Sluice-Kind';
const EPOCH = 'Sluice-Epoch';
const WRITER = 'Sluice-Writer';
const PART = 'Sluice-Part';

const KINDS: ReadonlySet<string> = new Set<MessageKind>(['group', 'take-over', 'mark']);

/** The headers of the message that is to be stored at `sequence`, and nowhere else. */
export function encodeHeader(
  { writer, epoch }: Author,
  message: Pick<MessageHeader, 'kind' | 'part' | 'parts'>,
  sequence: number,
): MsgHdrs {
  const encoded = headers();
  encoded.set(EXPECTED_LAST_SEQUENCE, String(sequence - 1));
  encoded.set(KIND, message.kind);
  encoded.set(EPOCH, String(epoch));
  encoded.set(WRITER, writer);
  if (message.parts > 1) encoded.set(PART, `${message.part}/${message.parts}`);
  return encoded;
}

/** Undefined when no commit log wrote the message. */
export function decodeHeader(encoded: MsgHdrs | undefined): MessageHeader | undefined {
  if (encoded === undefined) return undefined;
  const kind = encoded.get(KIND);
  const epoch = Number(encoded.get(EPOCH));
  const writer = encoded.get(WRITER);
  const [part = Number.NaN, parts = Number.NaN] = (encoded.get(PART) || '1/1').split('/').map(Number);
  if (!KINDS.has(kind) || writer === '') return undefined;
  if (!Number.isSafeInteger(epoch) || epoch < 1) return undefined;
  if (!Number.isSafeInteger(part) || !Number.isSafeInteger(parts) || part < 1 || part > parts) return undefined;
  return { kind: kind as MessageKind, epoch, writer, part, parts };
}
