import { describe, expect, it } from 'vitest';
import { apiVersions } from './apis/api-versions.ts';
import { fetch } from './apis/fetch.ts';
import { heartbeat } from './apis/heartbeat.ts';
import { metadata } from './apis/metadata.ts';
import { apiOf, versionRanges } from './apis.ts';
import { CodecError } from './codec-error.ts';
import { KafkaError, kafkaErrorName } from './error-codes.ts';
import { decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse } from './frames.ts';

const hex = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '');
const frameOf = (...parts: readonly string[]): Buffer => Buffer.from(hex(...parts), 'hex');

describe('a request frame', () => {
  it('is, for ApiVersions v3, a header v2 whose client id is not compact', () => {
    const request = { clientSoftwareName: 'kcat', clientSoftwareVersion: '1.7' };
    const chunks = encodeRequest(apiVersions, 3, 1, 'rdkafka', request);
    const header = ['0012 0003 00000001', '0007 72646b61666b61', '00'];
    const body = ['05 6b636174', '04 312e37', '00'];
    expect(Buffer.concat(chunks).toString('hex')).toBe(hex('0000001c', ...header, ...body));

    const decoded = decodeRequestHeader(frameOf(...header, ...body), apiOf);
    expect(decoded).toMatchObject({ kind: 'known', version: 3, correlationId: 1, clientId: 'rdkafka' });
    if (decoded.kind !== 'known') return;
    expect(decoded.api).toBe(apiVersions);
    expect(apiVersions.request.decode(decoded.body, 3)).toEqual(request);
  });

  it('is, for Metadata v1, a header v1', () => {
    const chunks = encodeRequest(metadata, 1, 2, null, { topics: [{ name: 'a' }] });
    expect(Buffer.concat(chunks).toString('hex')).toBe(hex('00000011', '0003 0001 00000002 ffff', '00000001 0001 61'));
  });

  it('tells an API that there is not from a version that there is not', () => {
    expect(decodeRequestHeader(frameOf('03e7 0002 00000005 0001 61'), apiOf)).toEqual({
      kind: 'unknown-api',
      apiKey: 999,
      version: 2,
      correlationId: 5,
    });
    const tooNew = decodeRequestHeader(frameOf('0012 0063 00000005 00 ff ff'), apiOf);
    expect(tooNew).toMatchObject({ kind: 'unsupported-version', version: 99, correlationId: 5 });
    // OffsetCommit v10 has a table, but is not final in Kafka 4.1.
    expect(decodeRequestHeader(frameOf('0008 000a 00000005 ffff 00'), apiOf)).toMatchObject({
      kind: 'unsupported-version',
    });
    expect(decodeRequestHeader(frameOf('0000 0002 00000005 ffff'), apiOf)).toMatchObject({
      kind: 'unsupported-version',
    });
    expect(decodeRequestHeader(frameOf('0000 ffff 00000005 ffff'), apiOf)).toMatchObject({
      kind: 'unsupported-version',
    });
  });

  it('that ends in its header is a CodecError', () => {
    for (const cut of ['', '0012', '0012 0003 0000', '0012 0003 00000001', '0012 0003 00000001 0007 72']) {
      expect(() => decodeRequestHeader(frameOf(cut), apiOf)).toThrow(CodecError);
    }
  });

  it('may be longer than what is known of it', () => {
    const decoded = decodeRequestHeader(frameOf('0012 0000 00000001 ffff', '0102'), apiOf);
    if (decoded.kind !== 'known') throw new Error(decoded.kind);
    apiVersions.request.decode(decoded.body, 0);
    expect(decoded.body.remaining).toBe(2);
  });
});

describe('a response frame', () => {
  it('has a header v1 in flexible versions', () => {
    const chunks = encodeResponse(heartbeat, 4, 9, { errorCode: KafkaError.REBALANCE_IN_PROGRESS });
    expect(Buffer.concat(chunks).toString('hex')).toBe(hex('0000000c', '00000009 00', '00000000 001b 00'));
  });

  it('has a header v0 before, and for ApiVersions in all versions', () => {
    const old = encodeResponse(heartbeat, 3, 9, { errorCode: 0 });
    expect(Buffer.concat(old).toString('hex')).toBe(hex('0000000a', '00000009', '00000000 0000'));
    const versions = encodeResponse(apiVersions, 3, 9, { errorCode: 0, apiKeys: [] });
    expect(Buffer.concat(versions).toString('hex')).toBe(hex('0000000c', '00000009', '0000 01 00000000 00'));
  });

  it('answers an ApiVersions request that is too new', () => {
    const body = { errorCode: KafkaError.UNSUPPORTED_VERSION, apiKeys: versionRanges([apiVersions]) };
    const chunks = encodeResponse(apiVersions, 0, 5, body);
    expect(Buffer.concat(chunks).toString('hex')).toBe(
      hex('00000010', '00000005', '0023', '00000001', '0012 0000 0004'),
    );
  });

  it('comes back as it was, and its record batches are never copied', () => {
    const batches = [Buffer.alloc(20_000, 1), Buffer.alloc(30_000, 2)];
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 7, records: batches };
    const responses = [{ topic: 't', topicId: '01234567-89ab-cdef-0123-456789abcdef', partitions: [partition] }];
    for (const version of [4, 11, 12, 13, 18]) {
      const chunks = encodeResponse(fetch, version, 3, { responses });
      expect(batches.every((batch) => chunks.includes(batch))).toBe(true);
      const frame = Buffer.concat(chunks);
      expect(frame.readInt32BE(0)).toBe(frame.length - 4);
      const decoded = decodeResponse(fetch, version, frame.subarray(4));
      expect(decoded.correlationId).toBe(3);
      expect(decoded.body.responses[0]?.partitions[0]?.records).toEqual(Buffer.concat(batches));
    }
  });

  it('that cannot be encoded leaves nothing behind in the next one', () => {
    expect(() => encodeResponse(heartbeat, 3, 9, { errorCode: 99_999 })).toThrow(
      'Heartbeat response v3, errorCode: 99999 is not an int16',
    );
    const chunks = encodeResponse(heartbeat, 3, 10, { errorCode: 0 });
    expect(Buffer.concat(chunks).toString('hex')).toBe(hex('0000000a', '0000000a', '00000000 0000'));
  });
});

describe('the error codes', () => {
  it('are one name a number', () => {
    const codes = Object.values(KafkaError);
    expect(new Set(codes).size).toBe(codes.length);
    expect(kafkaErrorName(-1)).toBe('UNKNOWN_SERVER_ERROR');
    expect(kafkaErrorName(KafkaError.MEMBER_ID_REQUIRED)).toBe('MEMBER_ID_REQUIRED');
    expect(kafkaErrorName(9999)).toBeUndefined();
  });
});
