import { effect, signal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ended, session } from '../api/session.ts';
import { place } from '../location.ts';
import { common, formWords } from '../words/common.ts';
import { Button } from './button.tsx';

export interface DialogProps {
  readonly title: string;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
  /** Escape, the cross, or the backdrop. */
  onClose(): void;
}

/** Over the page. The browser's own modal dialog keeps the focus within, makes the rest inert, and gives the focus back. */
export function Dialog({ title, wide = false, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const before = useRef(document.activeElement);
  // Whoever has to log in again finds the dialog afterwards as it was left.
  const isAway = session.value === null;
  useLayoutEffect(() => {
    const element = dialog.current;
    if (isAway) return;
    element?.showModal();
    return () => element?.close();
  }, [isAway]);
  useLayoutEffect(
    () => () => {
      if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus();
    },
    [],
  );
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key is Escape, which the browser hands over as `cancel`.
    <dialog
      ref={dialog}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-content">
        <header>
          <h2 id={id}>{title}</h2>
          <Button kind="quiet" icon="close" label={common.close} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface Opened {
  readonly id: number;
  readonly show: () => VNode;
  leave(): void;
}

const opened = signal<readonly Opened[]>([]);
let count = 0;

/** Opens a dialog from anywhere; resolves with what `close` is given, and with undefined when it is left. */
export function openDialog<Result>(show: (close: (result?: Result) => void) => VNode): Promise<Result | undefined> {
  const { promise, resolve } = Promise.withResolvers<Result | undefined>();
  count += 1;
  const id = count;
  const close = (result?: Result) => {
    opened.value = opened.value.filter((each) => each.id !== id);
    resolve(result);
  };
  opened.value = [...opened.value, { id, show: () => show(close), leave: () => close() }];
  return promise;
}

function leaveAll(): void {
  for (const { leave } of opened.peek()) leave();
}

let shownFor = { path: place.peek().path, user: session.peek()?.user.name };
/** What was opened on a page goes with it, and with its user. */
effect(() => {
  const { path } = place.value;
  // The same user comes back to a session that ended by itself.
  const user = session.value === null && ended.value ? shownFor.user : session.value?.user.name;
  if (path !== shownFor.path || user !== shownFor.user) leaveAll();
  shownFor = { path, user };
});

/** Where dialogs that were opened from anywhere are shown: once, in the layout. */
export function Dialogs() {
  return (
    <>
      {opened.value.map(({ id, show }) => (
        <Shown key={id} show={show} />
      ))}
    </>
  );
}

function Shown({ show }: { readonly show: () => VNode }) {
  return show();
}

export interface Confirmation {
  readonly title: string;
  readonly text: ComponentChildren;
  /** What the button that does it says. */
  readonly action: string;
  /** Something is lost by it: the button is red. */
  readonly harm?: boolean;
  /** Has to be typed first: for what cannot be undone and is large. */
  readonly typed?: string;
}

/** Asks before something is done; true when it is to be done. */
export async function confirm(confirmation: Confirmation): Promise<boolean> {
  return (await openDialog<boolean>((close) => <Confirm {...confirmation} close={close} />)) === true;
}

function Confirm({ title, text, action, harm = true, typed, close }: Confirmation & { close(yes?: boolean): void }) {
  const [text_, setText] = useState('');
  const id = useId();
  return (
    <Dialog title={title} onClose={() => close(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === undefined || text_ === typed) close(true);
        }}
      >
        <div class="dialog-text">{text}</div>
        {typed !== undefined && (
          <div class="field">
            <label for={id}>{formWords.typeToConfirm(typed)}</label>
            <input
              id={id}
              autocomplete="off"
              spellcheck={false}
              value={text_}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </div>
        )}
        <footer class="buttons">
          <Button onClick={() => close(false)}>{common.cancel}</Button>
          <Button type="submit" kind={harm ? 'harm' : 'primary'} disabled={typed !== undefined && text_ !== typed}>
            {action}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
