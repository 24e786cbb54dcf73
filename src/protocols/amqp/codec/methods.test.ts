import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_TABLE, longString, table } from '../../../broker/index.ts';
import { tables } from '../../../broker/messages/arbitrary.contract.ts';
import { BrokerError } from '../../../errors.ts';
import { CodecError } from './codec-error.ts';
import { arbitraryMethod, METHOD_NAMES } from './fixture.contract.ts';
import { decodeMethod } from './method-decoder.ts';
import { encodeMethod } from './method-encoder.ts';
import { METHODS, methodId } from './methods.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

function replyOf(bytes: Buffer): string {
  try {
    decodeMethod(bytes, 0, bytes.length);
  } catch (error) {
    if (error instanceof CodecError) return `${error.replyCode} ${error.reply}`;
    throw error;
  }
  return 'none';
}

describe('methods', () => {
  it('are 66, each with an id of its own', () => {
    expect(METHOD_NAMES).toHaveLength(66);
    expect(new Set(METHOD_NAMES.map(methodId)).size).toBe(66);
    expect(METHODS['basic.publish'].content).toBe(true);
    expect(methodId('basic.publish')).toBe(60 * 65536 + 40);
  });

  it.each(METHOD_NAMES)('%s comes back as it was written', (name) => {
    fc.assert(
      fc.property(arbitraryMethod(name, tables), (given) => {
        const bytes = Buffer.concat([Buffer.alloc(3), encodeMethod(name, given), Buffer.alloc(3)]);
        expect(decodeMethod(bytes, 3, bytes.length - 3)).toEqual(given);
      }),
      { numRuns: 30 },
    );
  });

  it.each(METHOD_NAMES)('%s is refused when bytes are lacking or left over', (name) => {
    fc.assert(
      fc.property(arbitraryMethod(name, fc.constant(EMPTY_TABLE)), fc.nat(), (given, cut) => {
        const bytes = encodeMethod(name, given);
        expect(() => decodeMethod(bytes, 0, cut % bytes.length)).toThrow(CodecError);
        expect(() => decodeMethod(Buffer.concat([bytes, Buffer.of(0)]), 0, bytes.length + 1)).toThrow(CodecError);
      }),
      { numRuns: 10 },
    );
  });

  it('are the bytes that the specification says', () => {
    const start = {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties: new Map([
        ['product', longString('Sluice')],
        ['capabilities', table({ 'basic.nack': { type: 't', value: true } })],
      ]),
      mechanisms: 'PLAIN AMQPLAIN',
      locales: 'en_US',
    } as const;
    const bytes = hex(`
      000a 000a 00 09
      00000032
        07 ${Buffer.from('product').toString('hex')} 53 00000006 ${Buffer.from('Sluice').toString('hex')}
        0c ${Buffer.from('capabilities').toString('hex')} 46 0000000d
          0a ${Buffer.from('basic.nack').toString('hex')} 74 01
      0000000e ${Buffer.from('PLAIN AMQPLAIN').toString('hex')}
      00000005 ${Buffer.from('en_US').toString('hex')}`);
    expect(encodeMethod('connection.start', start)).toEqual(bytes);
    expect(decodeMethod(bytes, 0, bytes.length)).toEqual({ name: 'connection.start', ...start });

    const publish = hex('003c 0028 0000 05 6c6f67732e 03 6b6579 01');
    expect(encodeMethod('basic.publish', { exchange: 'logs.', routingKey: 'key', mandatory: true })).toEqual(publish);

    const declare = { queue: 'q', durable: true, exclusive: false, autoDelete: true, passive: false, noWait: true };
    expect(encodeMethod('queue.declare', declare)).toEqual(hex('0032 000a 0000 01 71 1a 00000000'));
    expect(
      encodeMethod('basic.deliver', {
        consumerTag: 'c',
        deliveryTag: 2 ** 32 + 5,
        redelivered: true,
        exchange: '',
        routingKey: 'q',
      }),
    ).toEqual(hex('003c 003c 01 63 0000000100000005 01 00 01 71'));
  });

  it('there are not are refused with 503', () => {
    expect(replyOf(hex('003c 00ff'))).toBe('503 COMMAND_INVALID');
    expect(replyOf(hex('00ff 000a'))).toBe('503 COMMAND_INVALID');
  });

  it('with other arguments are refused with 501, with a table that is none with 502', () => {
    expect(replyOf(hex('003c 00'))).toBe('501 FRAME_ERROR');
    expect(replyOf(hex('003c 0050 00000000 00000001'))).toBe('501 FRAME_ERROR');
    expect(replyOf(hex('0032 000a 0000 01 71 00 00000002 0161'))).toBe('502 SYNTAX_ERROR');
    expect(replyOf(hex('0032 000a 0000 01 ff 00 00000000'))).toBe('501 FRAME_ERROR');
  });

  it('take a delivery tag that nobody was given', () => {
    const bytes = hex('003c 0050 ffffffffffffffff 00');
    expect(decodeMethod(bytes, 0, bytes.length)).toEqual({ name: 'basic.ack', deliveryTag: 2 ** 64, multiple: false });
  });

  it('whose values do not fit cannot be written', () => {
    expect(() => encodeMethod('basic.cancel', { consumerTag: 'ä'.repeat(128) })).toThrow(CodecError);
    expect(() => encodeMethod('basic.ack', { deliveryTag: 2 ** 53 })).toThrow(CodecError);
    expect(() => encodeMethod('basic.ack', { deliveryTag: -1 })).toThrow(CodecError);
    expect(() => encodeMethod('basic.qos', { prefetchSize: 0, prefetchCount: 65536 })).toThrow(CodecError);
  });

  it('never read beyond their end, whatever the bytes', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 });
    const anyMethod = fc.constantFrom(...METHOD_NAMES).chain((name) => arbitraryMethod(name, tables));
    fc.assert(
      fc.property(anyMethod, changes, (given, damage) => {
        const bytes = encodeMethod(given.name, given as never);
        for (const [at, value] of damage) bytes[at % bytes.length] = value;
        const results = [0x00, 0xff].map((filler) => {
          const surrounded = Buffer.concat([bytes, Buffer.alloc(300, filler)]);
          try {
            return decodeMethod(surrounded, 0, bytes.length);
          } catch (error) {
            expect(error).toBeInstanceOf(BrokerError);
            return 'refused';
          }
        });
        expect(results[0]).toEqual(results[1]);
      }),
      { numRuns: 2000 },
    );
  });
});
