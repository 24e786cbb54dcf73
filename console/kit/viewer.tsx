import { useMemo, useState } from 'preact/hooks';
import { bytes as formatBytes } from '../format/numbers.ts';
import { common, viewerWords } from '../words/common.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { hexDump } from './hex.ts';

/** What is shown at once; all of it is copied and downloaded. */
const SHOWN_BYTES = 64 * 1024;

/** Text in a frame, with a button to copy it. */
export function Code({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which has to work by keyboard. */}
      <section tabIndex={0} aria-label={label}>
        <pre>{text}</pre>
      </section>
      <CopyButton text={text} />
    </div>
  );
}

/** Indented. */
export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return <Code text={JSON.stringify(value, null, 2)} label={label} />;
}

export interface PayloadProps {
  /** Of a message: its body, key or a header. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly label: string;
  /** For the file that is downloaded. */
  readonly fileName?: string;
}

type View = 'json' | 'text' | 'hex';

/** Bytes as JSON where they are, as text where they are UTF-8, and in hexadecimal. */
export function Payload({ bytes, label, fileName = 'message.bin' }: PayloadProps) {
  const [chosen, choose] = useState<View>();
  const views = useMemo(() => viewsOf(bytes), [bytes]);
  const view =
    chosen !== undefined && views[chosen] !== undefined
      ? chosen
      : views.json !== undefined
        ? 'json'
        : views.text !== undefined
          ? 'text'
          : 'hex';
  if (bytes.length === 0) return <p class="muted">{viewerWords.empty}</p>;
  const text = views[view] ?? '';
  return (
    <div class="payload">
      <div class="bar">
        <fieldset class="choice">
          <legend class="unseen">{label}</legend>
          {(['json', 'text', 'hex'] as const)
            .filter((each) => views[each] !== undefined)
            .map((each) => (
              <button key={each} type="button" aria-pressed={each === view} onClick={() => choose(each)}>
                {viewerWords[each]}
              </button>
            ))}
        </fieldset>
        <span class="muted">{formatBytes(bytes.length)}</span>
        <Button kind="quiet" icon="download" label={common.download} onClick={() => download(fileName, bytes)} />
      </div>
      <Code text={text} label={label} />
      {bytes.length > SHOWN_BYTES && (
        <p class="muted">{viewerWords.cut(formatBytes(SHOWN_BYTES), formatBytes(bytes.length))}</p>
      )}
    </div>
  );
}

function viewsOf(all: Uint8Array<ArrayBuffer>): Partial<Record<View, string>> {
  const shown = all.subarray(0, SHOWN_BYTES);
  const text = textOf(shown, all.length > shown.length);
  const parsed = text !== undefined && all.length === shown.length ? jsonOf(text) : undefined;
  return { ...(parsed !== undefined && { json: parsed }), ...(text !== undefined && { text }), hex: hexDump(shown) };
}

/** When it is UTF-8 that can be read; of what was cut the last character may be half. */
function textOf(bytes: Uint8Array, cut: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for.
    return /[\x00-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Objects and lists; a number alone is text like any other. */
function jsonOf(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Offers a file. */
export function download(fileName: string, content: BlobPart, type = 'application/octet-stream'): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
