import { useState } from 'preact/hooks';
import type { Payload as PayloadShape } from '../../../src/protocols/http/shapes/streams.ts';
import { request } from '../../api/client.ts';
import { bytes } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { bytesOfBase64, bytesOfText, Payload } from '../../kit/viewer.tsx';
import { recordWords } from '../../words/streams.ts';

interface PartProps {
  readonly of: PayloadShape;
  readonly label: string;
  readonly fileName: string;
  /** Where all of it is asked for, when it was cut. */
  readonly whole: string;
}

/** A key or a value: as JSON, text or hexadecimal, and all of it when asked. */
export function Part({ of, label, fileName, whole }: PartProps) {
  const [all, setAll] = useState<Uint8Array<ArrayBuffer>>();
  return (
    <>
      <Payload bytes={all ?? bytesOf(of)} label={label} fileName={fileName} />
      {of.truncated && all === undefined && (
        <Button
          icon="download"
          onClick={async () => setAll(new Uint8Array(await (await request('GET', whole)).arrayBuffer()))}
        >
          {recordWords.whole(bytes(of.bytes))}
        </Button>
      )}
    </>
  );
}

function bytesOf({ format, data }: PayloadShape): Uint8Array<ArrayBuffer> {
  return format === 'binary' ? bytesOfBase64(data) : bytesOfText(data);
}

/** The beginning in one line. */
export function Preview({ of }: { readonly of: PayloadShape }) {
  const text = of.format === 'binary' ? bytes(of.bytes) : of.data.slice(0, 80).replaceAll(/\s+/g, ' ');
  return <span class="mono">{text}</span>;
}
