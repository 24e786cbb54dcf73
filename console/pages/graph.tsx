import { useMemo, useState } from 'preact/hooks';
import type { Graph as GraphShape, RouteAnswer } from '../../src/protocols/http/shapes/routing.ts';
import { usePoll } from '../api/poll.ts';
import { compact, count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Choice } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { place, setQuery, url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { exchangeWords, queueWords, routeWords } from '../words/queues.ts';
import { layOut, NODE, type PlacedEdge, type PlacedNode } from './exchanges/graph-layout.ts';
import { RouteQuestion } from './exchanges/route-question.tsx';

const DEPTHS = ['1', '2', '3', '5', '10'] as const;

/** Exchanges and queues of a virtual host, drawn; the way of a message is lit up. */
export function RoutingGraph() {
  const vhost = virtualHost.value === '' ? '/' : virtualHost.value;
  const { query } = place.value;
  const [around, name] = [query.get('around') ?? undefined, query.get('name') ?? undefined];
  const depth = DEPTHS.find((each) => each === query.get('depth')) ?? '2';
  const [answer, setAnswer] = useState<RouteAnswer>();
  const poll = usePoll<GraphShape>(url`/graph/${vhost}`, { query: { around, name, depth } });
  const exchanges = (poll.data?.nodes ?? []).filter(({ kind }) => kind === 'exchange').map((node) => node.name);
  return (
    <Page
      title={routeWords.graph}
      within={[{ title: exchangeWords.exchanges, href: '/exchanges' }]}
      notes={<span class="badge">{vhost}</span>}
    >
      <div class="graph-page">
        <RouteQuestion vhost={vhost} exchanges={exchanges} onAnswer={setAnswer} />
        <div>
          <div class="bar">
            <search class="filter">
              <Icon name="search" />
              <input
                type="search"
                aria-label={routeWords.filter}
                placeholder={routeWords.filter}
                spellcheck={false}
                value={name ?? ''}
                onInput={({ currentTarget: { value } }) =>
                  setQuery({ name: value === '' ? undefined : value, around: undefined })
                }
              />
            </search>
            {around !== undefined && (
              <>
                <Choice
                  label={`${routeWords.around} ${around.slice(2)}: ${routeWords.depth}`}
                  value={depth}
                  options={DEPTHS.map((value) => ({ value, label: value }))}
                  onChange={(value) => setQuery({ depth: value })}
                />
                <Button onClick={() => setQuery({ around: undefined })}>{routeWords.everything}</Button>
              </>
            )}
            <span class="gap" />
            <span class="muted">{routeWords.hint}</span>
          </div>
          <Loaded of={poll}>
            {(graph) => (
              <>
                {graph.cut && <p class="muted">{routeWords.cut}</p>}
                {graph.nodes.length === 0 ? (
                  <Notice icon="exchange" title={routeWords.empty} />
                ) : (
                  <Drawing graph={graph} answer={answer} />
                )}
              </>
            )}
          </Loaded>
        </div>
      </div>
    </Page>
  );
}

function Drawing({ graph, answer }: { readonly graph: GraphShape; readonly answer: RouteAnswer | undefined }) {
  const { nodes, edges, width, height } = useMemo(() => layOut(graph), [graph]);
  const lit = useMemo(() => litBy(answer), [answer]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which has to work by keyboard.
    <section class={answer ? 'graph asked' : 'graph'} tabIndex={0} aria-label={routeWords.graphLabel}>
      <div style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {edges.map((edge) => (
            <Edge
              key={`${edge.kind} ${edge.from} ${edge.to}`}
              edge={edge}
              lit={lit.edges.has(`${edge.from} ${edge.to}`)}
            />
          ))}
        </svg>
        {nodes.map((node) => (
          <NodeButton key={node.id} node={node} lit={lit.nodes.has(node.id)} />
        ))}
      </div>
    </section>
  );
}

function Edge({ edge, lit }: { readonly edge: PlacedEdge; readonly lit: boolean }) {
  const more = edge.count > edge.keys.length ? ` (${count(edge.count)})` : '';
  const what =
    edge.kind === 'binding' ? '' : `${edge.kind === 'alternate' ? routeWords.alternate : routeWords.deadLetters} `;
  return (
    <path class={`${edge.kind}${lit ? ' lit' : ''}`} d={edge.path}>
      <title>{`${what}${edge.keys.join(', ')}${more}`}</title>
    </path>
  );
}

function NodeButton({ node, lit }: { readonly node: PlacedNode; readonly lit: boolean }) {
  const { id, kind, name, type, messages, x, y } = node;
  const sort = kind === 'queue' ? queueWords.queue : exchangeWords.exchange;
  return (
    <button
      type="button"
      class={`node ${kind}${lit ? ' lit' : ''}`}
      style={{ left: `${x}px`, top: `${y}px`, width: `${NODE.width}px`, height: `${NODE.height}px` }}
      title={`${sort} ${name} (${type})`}
      onClick={() => setQuery({ around: id, name: undefined }, { replace: false })}
    >
      <span class="unseen">{`${sort} `}</span>
      <span>{name}</span>
      <small>{kind === 'queue' ? compact(messages) : type}</small>
    </button>
  );
}

/** What a message meets. */
function litBy(answer: RouteAnswer | undefined): {
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
} {
  const nodes = new Set<string>();
  const edges = new Set<string>();
  for (const { name } of answer?.exchanges ?? []) nodes.add(`e:${name}`);
  for (const { name, paths } of answer?.queues ?? []) {
    nodes.add(`q:${name}`);
    for (const steps of paths)
      for (const [at, { from, to }] of steps.entries())
        edges.add(`e:${from} ${at === steps.length - 1 ? 'q' : 'e'}:${to}`);
  }
  return { nodes, edges };
}
