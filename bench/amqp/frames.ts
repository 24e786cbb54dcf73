/** AMQP 0-9-1, sections 4.2.3 to 4.2.6: type (1 byte), channel (2), size (4), payload, an end mark. */
export const FRAME_HEADER_BYTES = 7;
export const FRAME_END = 0xce;
export const METHOD_FRAME = 1;
export const HEADER_FRAME = 2;
export const BODY_FRAME = 3;

export const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

/** Class in the upper 16 bits, method in the lower, as both stand at the start of a method frame. */
function id(classId: number, methodId: number): number {
  return classId * 0x10000 + methodId;
}

export const METHOD = {
  connectionStart: id(10, 10),
  connectionStartOk: id(10, 11),
  connectionTune: id(10, 30),
  connectionTuneOk: id(10, 31),
  connectionOpen: id(10, 40),
  connectionOpenOk: id(10, 41),
  connectionClose: id(10, 50),
  channelOpen: id(20, 10),
  channelOpenOk: id(20, 11),
  channelClose: id(20, 40),
  exchangeDeclare: id(40, 10),
  exchangeDeclareOk: id(40, 11),
  queueDeclare: id(50, 10),
  queueDeclareOk: id(50, 11),
  queueBind: id(50, 20),
  queueBindOk: id(50, 21),
  basicQos: id(60, 10),
  basicQosOk: id(60, 11),
  basicConsume: id(60, 20),
  basicConsumeOk: id(60, 21),
  basicCancel: id(60, 30),
  basicCancelOk: id(60, 31),
  basicPublish: id(60, 40),
  basicDeliver: id(60, 60),
  basicAck: id(60, 80),
  basicRecover: id(60, 110),
  basicRecoverOk: id(60, 111),
  basicNack: id(60, 120),
  confirmSelect: id(85, 10),
  confirmSelectOk: id(85, 11),
} as const;

const BASIC_CLASS = 60;
/** The property flag of delivery-mode, and its value for messages that outlive the broker. */
const DELIVERY_MODE = 0x1000;
const PERSISTENT = 2;

export function octet(value: number): Buffer {
  return Buffer.of(value);
}

export function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function long(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function longLong(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([octet(bytes.length), bytes]);
}

export function longString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([long(bytes.length), bytes]);
}

/** Of strings only: that is all that benches need. */
export function table(fields: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(fields).map(([name, value]) =>
    Buffer.concat([shortString(name), Buffer.from('S'), longString(value)]),
  );
  const bytes = Buffer.concat(entries);
  return Buffer.concat([long(bytes.length), bytes]);
}

export function frame(type: number, channel: number, payload: Buffer): Buffer {
  return Buffer.concat([octet(type), short(channel), long(payload.length), payload, octet(FRAME_END)]);
}

export function methodFrame(channel: number, method: number, ...fields: readonly Buffer[]): Buffer {
  return frame(METHOD_FRAME, channel, Buffer.concat([long(method), ...fields]));
}

export interface PublishedMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly persistent: boolean;
  readonly body: Buffer;
}

/** All frames of a message, and where among them its body starts. */
export function publishFrames(
  channel: number,
  frameMax: number,
  { exchange, routingKey, persistent, body }: PublishedMessage,
): { readonly bytes: Buffer; readonly bodyAt: number } {
  const reserved = short(0);
  const flags = octet(0);
  const method = methodFrame(
    channel,
    METHOD.basicPublish,
    reserved,
    shortString(exchange),
    shortString(routingKey),
    flags,
  );
  const properties = persistent ? [short(DELIVERY_MODE), octet(PERSISTENT)] : [short(0)];
  const weight = short(0);
  const header = Buffer.concat([short(BASIC_CLASS), weight, longLong(body.length), ...properties]);
  const bodies: Buffer[] = [];
  const most = frameMax - FRAME_HEADER_BYTES - 1;
  for (let at = 0; at < body.length; at += most) bodies.push(frame(BODY_FRAME, channel, body.subarray(at, at + most)));
  const before = [method, frame(HEADER_FRAME, channel, header)];
  const bodyAt = before.reduce((sum, { length }) => sum + length, FRAME_HEADER_BYTES);
  return { bytes: Buffer.concat([...before, ...bodies]), bodyAt };
}
