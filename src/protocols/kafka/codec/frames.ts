import type { Api } from './api.ts';
import { apiVersions } from './apis/api-versions.ts';
import { CodecError } from './codec-error.ts';
import { MAX_REQUEST_ELEMENTS, Reader } from './reader.ts';
import type { Decoded, Fields, Input } from './schema.ts';
import { Writer } from './writer.ts';

// A frame is a size (int32, not counting itself), a header and a body.
//
//   request header v1  api key int16 · version int16 · correlation id int32 · client id nullable string
//   request header v2  v1 · tagged fields                        (flexible versions; the client id stays as it was)
//   response header v0 correlation id int32
//   response header v1 v0 · tagged fields                        (flexible versions, but never ApiVersions)

export type RequestHeader = KnownRequest | UnsupportedVersion | UnknownApi;

/** A request that `body` can be decoded of: `header.api.request.decode(header.body, header.version)`. */
export interface KnownRequest {
  readonly kind: 'known';
  readonly api: Api;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly body: Reader;
}

/**
 * An API that there is, in a version that there is not. Kafka answers ApiVersions in v0, with UNSUPPORTED_VERSION and
 * the versions that it has, and closes the connection on all others.
 */
export interface UnsupportedVersion {
  readonly kind: 'unsupported-version';
  readonly api: Api;
  readonly version: number;
  readonly correlationId: number;
}

/** Kafka closes the connection. */
export interface UnknownApi {
  readonly kind: 'unknown-api';
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
}

/**
 * Reads what is in front of every request. The frame comes without its size; `apiOf` tells the APIs that there are (all of
 * them are in apis.ts: who speaks only some need not load the others).
 */
export function decodeRequestHeader(frame: Buffer, apiOf: (key: number) => Api | undefined): RequestHeader {
  const body = new Reader(frame, 0, frame.length, MAX_REQUEST_ELEMENTS);
  try {
    const apiKey = body.int16();
    const version = body.int16();
    const correlationId = body.int32();
    const api = apiOf(apiKey);
    if (api === undefined) return { kind: 'unknown-api', apiKey, version, correlationId };
    if (!api.request.has(version) || version > api.lastStable) {
      return { kind: 'unsupported-version', api, version, correlationId };
    }
    const clientId = body.nullableString();
    if (version >= api.flexible) body.skipTags();
    return { kind: 'known', api, version, correlationId, clientId, body };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new CodecError(`request header, byte ${body.position}: ${error.message}`, { cause: error });
  }
}

/** All frames are made by one writer: making one is synchronous, and the memory that is left over serves the next. */
const writer = new Writer();

/** A response, with its size in front, for a vectored write. Record batches in it are the caller's own buffers. */
export function encodeResponse<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  body: Input<Response>,
): Buffer[] {
  return encodeFrame(() => {
    writer.int32(correlationId);
    if (hasLongResponseHeader(api, version)) writer.uvarint(0);
    api.response.encode(writer, version, body);
  });
}

/** A request, with its size in front. */
export function encodeRequest<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Input<Request>,
): Buffer[] {
  return encodeFrame(() => {
    writer.int16(api.key);
    writer.int16(version);
    writer.int32(correlationId);
    writer.nullableString(clientId);
    if (version >= api.flexible) writer.uvarint(0);
    api.request.encode(writer, version, body);
  });
}

export interface DecodedResponse<Response extends Fields> {
  readonly correlationId: number;
  readonly body: Decoded<Response>;
}

/** Reads a response to a request of this API and version. The frame comes without its size. */
export function decodeResponse<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  frame: Buffer,
): DecodedResponse<Response> {
  const reader = new Reader(frame);
  const correlationId = reader.int32();
  if (hasLongResponseHeader(api, version)) reader.skipTags();
  return { correlationId, body: api.response.decode(reader, version) };
}

function hasLongResponseHeader<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
): boolean {
  return version >= api.flexible && api.key !== apiVersions.key;
}

function encodeFrame(encode: () => void): Buffer[] {
  try {
    writer.int32(0);
    encode();
    const size = writer.length - 4;
    if (size > 0x7fffffff) throw new CodecError(`a frame of ${size} bytes, of 2^31 - 1 at most`);
    const chunks = writer.finish();
    // The size that was left open is in the first piece: the header behind it is never a reference.
    chunks[0]?.writeInt32BE(size, 0);
    return chunks;
  } catch (error) {
    writer.reset();
    throw error;
  }
}
