import { useState } from 'preact/hooks';
import type { ShownRecord, Skipped } from '../../../src/protocols/http/shapes/streams.ts';
import { useEvents } from '../../api/events.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { Badge } from '../../kit/facts.tsx';
import { Icon } from '../../kit/icon.tsx';
import { Notice, Problem } from '../../kit/problem.tsx';
import { Table } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { operationWords } from '../../words/administration.ts';
import { common } from '../../words/common.ts';
import { recordWords, streamWords } from '../../words/streams.ts';
import { recordColumns } from './record-view.tsx';

/** Rows that are kept: the newest. */
const KEPT = 200;

/** Records as they are appended, the newest first. */
export function Tail({ stream }: { readonly stream: string }) {
  const [records, setRecords] = useState<readonly ShownRecord[]>([]);
  const [skipped, setSkipped] = useState(0);
  const [paused, setPaused] = useState(false);
  const [filter, setFilter] = useState('');
  const { state, error } = useEvents(paused ? undefined : url`/streams/${stream}/tail`, {
    query: filter === '' ? {} : { filter },
    onEvents: (events) => {
      const came: ShownRecord[] = [];
      let passed = 0;
      for (const { event, data } of events) {
        if (event === 'message') came.push(JSON.parse(data) as ShownRecord);
        else if (event === 'skipped') passed += (JSON.parse(data) as Skipped).records;
      }
      if (passed > 0) setSkipped((before) => before + passed);
      if (came.length > 0) setRecords((before) => [...came.toReversed(), ...before].slice(0, KEPT));
    },
  });
  return (
    <div class="server-table">
      <div class="bar">
        <search class="filter">
          <Icon name="search" />
          <input
            type="search"
            aria-label={recordWords.contains}
            placeholder={recordWords.contains}
            spellcheck={false}
            onChange={({ currentTarget }) => setFilter(currentTarget.value.trim())}
          />
        </search>
        <Badge tone={paused ? 'plain' : state === 'open' ? 'good' : 'warn'}>
          {paused ? operationWords.paused : state === 'open' ? recordWords.waiting : common.loading}
        </Badge>
        {skipped > 0 && (
          <span class="muted" role="status">
            {recordWords.skipped(skipped, count(skipped))}
          </span>
        )}
        <span class="gap" />
        <Button icon={paused ? 'play' : 'pause'} onClick={() => setPaused(!paused)}>
          {paused ? recordWords.resume : recordWords.pause}
        </Button>
        <Button
          onClick={() => {
            setRecords([]);
            setSkipped(0);
          }}
        >
          {recordWords.clear}
        </Button>
      </div>
      {state === 'stopped' && error && <Problem error={error} />}
      <Table
        label={streamWords.live}
        columns={recordColumns(stream)}
        rows={records}
        rowKey={(record) => recordWords.record(record.partition, String(record.offset))}
        empty={<Notice icon="stream" title={recordWords.live} />}
      />
    </div>
  );
}
