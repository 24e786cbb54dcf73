import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MessagePage } from '../../../src/protocols/http/shapes/queue-messages.ts';
import type { Query } from '../../api/client.ts';
import { usePoll } from '../../api/poll.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { Icon } from '../../kit/icon.tsx';
import { Loaded, Notice } from '../../kit/problem.tsx';
import { type Column, Table } from '../../kit/table.tsx';
import { common, tableWords } from '../../words/common.ts';
import { messageWords } from '../../words/queues.ts';

interface BrowseProps<Message> {
  /** What is listed. */
  readonly label: string;
  readonly path: string;
  readonly query?: Query;
  readonly columns: readonly Column<Message>[];
  /** In the place of rows, when there are none and nothing was looked for. */
  readonly empty: string;
  /** Further filters. */
  readonly tools?: ComponentChildren;
  /** What can be done with some of them; `changed` has them asked for anew. */
  readonly bulk?: (messages: readonly Message[], changed: () => void) => ComponentChildren;
}

const PAGE = 50;
const TYPING_MS = 300;

/** Messages page after page: asked for when somebody wants to see them, not again and again. */
export function BrowseMessages<Message extends { readonly id: string }>(props: BrowseProps<Message>) {
  const { label, path, query, columns, empty, tools, bulk } = props;
  const [text, setText] = useState('');
  const [cursor, setCursor] = useState('');
  const [selected, setSelected] = useState<ReadonlyMap<string, Message>>(new Map());
  const asked = JSON.stringify([text, query]);
  // Another question begins at the beginning.
  const [askedBefore, setAskedBefore] = useState(asked);
  if (asked !== askedBefore) {
    setAskedBefore(asked);
    setCursor('');
  }
  const poll = usePoll<MessagePage<Message>>(path, {
    query: { ...query, limit: PAGE, ...(cursor !== '' && { cursor }), ...(text !== '' && { text }) },
    every: 0,
  });
  const changed = () => {
    setSelected(new Map());
    poll.refresh();
  };
  return (
    <div class="server-table">
      <div class="bar">
        <Find onFind={setText} />
        {tools}
        <span class="gap" />
        <Button icon="refresh" onClick={changed}>
          {common.refresh}
        </Button>
      </div>
      {bulk && selected.size > 0 && (
        <div class="bar bulk">
          <span>{tableWords.selected(count(selected.size))}</span>
          {bulk([...selected.values()], changed)}
        </div>
      )}
      <Loaded of={poll}>
        {({ items, next, looked_at: looked }) => (
          <>
            <Table
              label={label}
              columns={columns}
              rows={items}
              rowKey={({ id }) => id}
              busy={poll.loading}
              selection={
                bulk && {
                  keys: new Set(selected.keys()),
                  toggle: (rows, on) => setSelected((before) => toggled(before, rows, on)),
                }
              }
              empty={<Notice title={text === '' && cursor === '' ? empty : messageWords.noneMatches} />}
            />
            <div class="bar pages">
              <span class="muted" role="status">
                {looked === undefined ? '' : messageWords.looked(count(looked))}
              </span>
              <span class="gap" />
              <Button kind="quiet" icon="firstPage" disabled={cursor === ''} onClick={() => setCursor('')}>
                {messageWords.from}
              </Button>
              <Button kind="quiet" icon="right" disabled={next === null} onClick={() => setCursor(next ?? '')}>
                {messageWords.next}
              </Button>
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}

function toggled<Message extends { readonly id: string }>(
  before: ReadonlyMap<string, Message>,
  rows: readonly Message[],
  on: boolean,
): ReadonlyMap<string, Message> {
  const next = new Map(before);
  for (const row of rows)
    if (on) next.set(row.id, row);
    else next.delete(row.id);
  return next;
}

function Find({ onFind }: { onFind(text: string): void }) {
  const [typed, setTyped] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => onFind(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, onFind]);
  return (
    <search class="filter">
      <Icon name="search" />
      <input
        type="search"
        aria-label={messageWords.find}
        placeholder={messageWords.find}
        title={messageWords.findHint}
        spellcheck={false}
        value={typed}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
    </search>
  );
}
