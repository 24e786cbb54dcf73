import { useState } from 'preact/hooks';
import type { Payload as PayloadShape } from '../../src/protocols/http/shapes/streams.ts';
import { type Query, request } from '../api/client.ts';
import { bytes } from '../format/index.ts';
import { viewerWords } from '../words/common.ts';
import { Button } from './button.tsx';
import { bytesOfBase64, bytesOfText, Payload } from './viewer.tsx';

interface StoredPayloadProps {
  readonly of: PayloadShape;
  readonly label: string;
  readonly fileName: string;
  /** Where all of it is asked for, when it was cut. */
  readonly whole?: { readonly path: string; readonly query?: Query } | undefined;
}

/** What the broker keeps of a message or record, as far as it has answered it, and all of it when asked. */
export function StoredPayload({ of, label, fileName, whole }: StoredPayloadProps) {
  const [all, setAll] = useState<Uint8Array<ArrayBuffer>>();
  return (
    <>
      <Payload bytes={all ?? bytesOf(of)} label={label} fileName={fileName} />
      {of.truncated && all === undefined && whole !== undefined && (
        <Button
          icon="download"
          onClick={async () => {
            const answer = await request('GET', whole.path, { query: whole.query ?? {} });
            setAll(new Uint8Array(await answer.arrayBuffer()));
          }}
        >
          {viewerWords.whole(bytes(of.bytes))}
        </Button>
      )}
    </>
  );
}

function bytesOf({ format, data }: PayloadShape): Uint8Array<ArrayBuffer> {
  return format === 'binary' ? bytesOfBase64(data) : bytesOfText(data);
}

const PREVIEW_CHARACTERS = 80;

/** The beginning in one line; of what is no text, its size. */
export function previewOf(payload: PayloadShape | null): string {
  if (payload === null || payload.bytes === 0) return viewerWords.empty;
  return payload.format === 'binary'
    ? `${viewerWords.hex} · ${bytes(payload.bytes)}`
    : payload.data.slice(0, PREVIEW_CHARACTERS).replaceAll(/\s+/g, ' ');
}
