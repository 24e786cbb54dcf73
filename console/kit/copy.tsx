import { common } from '../words/common.ts';
import { Button } from './button.tsx';
import { notify } from './toast.tsx';

/** Puts a text onto the clipboard. */
export function CopyButton({ text, label = common.copy }: { readonly text: string; readonly label?: string }) {
  return <Button kind="quiet" icon="copy" label={label} onClick={() => copy(text)} />;
}

async function copy(text: string): Promise<void> {
  // Only pages of this machine and of https have the clipboard.
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copyBySelection(text);
  notify(common.copied);
}

function copyBySelection(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
