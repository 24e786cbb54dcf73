import type { Trace as TraceShape } from '../../src/protocols/http/shapes/traces.ts';
import { usePoll } from '../api/poll.ts';
import { bytes, count } from '../format/index.ts';
import { Facts, Panel } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { common } from '../words/common.ts';
import { traceWords } from '../words/traces.ts';
import { Timeline } from './traces/timeline.tsx';

/** The way of one message. */
export function Trace({ params: { trace = '' } }: PageParameters) {
  const poll = usePoll<TraceShape>(url`/traces/${trace}`);
  return (
    <Page
      title={poll.data?.message_id ?? poll.data?.key ?? traceWords.trace}
      within={[{ title: traceWords.title, href: '/traces' }]}
    >
      <Loaded of={poll}>{(found) => <Way trace={found} />}</Loaded>
    </Page>
  );
}

function Way({ trace }: { readonly trace: TraceShape }) {
  const { message_id: id, key, traceparent, bytes: size, events, dropped, complete } = trace;
  const mono = (text: string | undefined) => text && <span class="mono">{text}</span>;
  return (
    <>
      {size !== undefined && (
        <Panel title={traceWords.message}>
          <Facts
            of={[
              [traceWords.messageId, mono(id)],
              [common.key, mono(key)],
              [traceWords.size, bytes(size)],
              [traceWords.context, mono(traceparent)],
            ]}
          />
        </Panel>
      )}
      <Panel title={traceWords.way}>
        {events.length === 0 ? <Notice icon="trace" title={traceWords.untraced} /> : <Timeline steps={events} />}
        {dropped > 0 && <p class="muted">{traceWords.dropped(dropped, count(dropped))}</p>}
        {!complete && dropped === 0 && <p class="muted">{traceWords.incomplete}</p>}
      </Panel>
    </>
  );
}
