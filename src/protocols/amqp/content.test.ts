import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeAddress } from '../../broker/index.ts';
import { ContentAssembler } from './content.ts';

const NO_PROPERTIES = Buffer.alloc(2);

function publishFrame(exchange: string, routingKey: string, bits = 0): Buffer {
  return Buffer.concat([Buffer.alloc(2), encodeAddress(exchange, routingKey), Buffer.of(bits)]);
}

function headerFrame(size: number, properties: Buffer = NO_PROPERTIES, classId = 60): Buffer {
  const frame = Buffer.alloc(12);
  frame.writeUInt16BE(classId);
  frame.writeBigUInt64BE(BigInt(size), 4);
  return Buffer.concat([frame, properties]);
}

/** A frame's payload somewhere in a larger buffer. */
function placed(payload: Buffer): [buffer: Buffer, start: number, end: number] {
  return [Buffer.concat([Buffer.from('before'), payload, Buffer.from('after')]), 6, 6 + payload.length];
}

test('a message is whole when its last frame has come, however its body is cut', () => {
  const body = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.string({ maxLength: 60 }),
      fc.string({ maxLength: 60 }),
      body,
      fc.boolean(),
      (x, key, parts, mandatory) => {
        const assembler = new ContentAssembler();
        const properties = Buffer.from([0x10, 0, 2]);
        const size = parts.reduce((bytes, part) => bytes + part.length, 0);
        assembler.publish(...placed(publishFrame(x, key, mandatory ? 1 : 0)));
        expect(assembler.header(...placed(headerFrame(size, properties)))).toBe(size === 0);
        parts.forEach((part, i) => {
          expect(assembler.expectsContent).toBe(true);
          expect(assembler.body(...placed(Buffer.from(part)))).toBe(i === parts.length - 1);
        });
        expect(assembler.expectsContent).toBe(false);
        const { message } = assembler;
        expect([message.exchange, message.routingKey, message.persistent]).toEqual([x, key, true]);
        expect(message.body.subarray(message.bodyStart, message.bodyEnd)).toEqual(Buffer.concat(parts));
        expect(assembler.mandatory).toBe(mandatory);
      },
    ),
  );
});

test('a frame that does not come now is unexpected', () => {
  const assembler = new ContentAssembler();
  expect(() => assembler.header(...placed(headerFrame(0)))).toThrow('expected method frame, got non method frame');
  assembler.publish(...placed(publishFrame('', 'q')));
  expect(() => assembler.body(...placed(Buffer.from('x')))).toThrow('expected content header for class 60, got non');
  expect(() => assembler.header(...placed(headerFrame(0, NO_PROPERTIES, 85)))).toThrow('got one for class 85 instead');
  assembler.header(...placed(headerFrame(1)));
  expect(() => assembler.header(...placed(headerFrame(0)))).toThrow('expected content body, got non content body');
});

test('a body longer than was announced is refused', () => {
  const assembler = new ContentAssembler();
  assembler.publish(...placed(publishFrame('', 'q')));
  assembler.header(...placed(headerFrame(2)));
  expect(() => assembler.body(...placed(Buffer.from('abc')))).toThrow('exceeds remaining content size');
});

test('names that are cut short are refused', () => {
  const whole = publishFrame('exchange', 'key');
  for (let length = 0; length < whole.length; length++) {
    const [buffer, start] = placed(whole.subarray(0, length));
    expect(() => new ContentAssembler().publish(buffer, start, start + length)).toThrow('cut short');
  }
});
