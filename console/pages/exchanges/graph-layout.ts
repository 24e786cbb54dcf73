import type { Graph, GraphEdge, GraphNode } from '../../../src/protocols/http/shapes/routing.ts';

/** Pixels. */
export const NODE = { width: 176, height: 36 };
const GAP = { column: 56, row: 14 };
const MARGIN = 12;
/** How often the rows of a column are put in the order of what leads to them. */
const ROUNDS = 4;

export interface PlacedNode extends GraphNode {
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge extends GraphEdge {
  /** Of an SVG path. */
  readonly path: string;
}

export interface PlacedGraph {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** In columns from left to right: exchanges before what they lead to, so that messages go to the right. */
export function layOut({ nodes, edges }: Pick<Graph, 'nodes' | 'edges'>): PlacedGraph {
  const columns = inColumns(nodes, edges);
  const places = new Map<string, { readonly x: number; readonly y: number }>();
  let height = 0;
  columns.forEach((column, index) => {
    column.forEach(({ id }, row) => {
      const x = MARGIN + index * (NODE.width + GAP.column);
      const y = MARGIN + row * (NODE.height + GAP.row);
      places.set(id, { x, y });
      height = Math.max(height, y + NODE.height + MARGIN);
    });
  });
  const placed: PlacedNode[] = [];
  for (const node of nodes) {
    const place = places.get(node.id);
    if (place) placed.push({ ...node, ...place });
  }
  const drawn: PlacedEdge[] = [];
  for (const edge of edges) {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    if (from && to) drawn.push({ ...edge, path: curve(from, to) });
  }
  const width = 2 * MARGIN + columns.length * NODE.width + Math.max(0, columns.length - 1) * GAP.column;
  return { nodes: placed, edges: drawn, width, height };
}

function inColumns(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphNode[][] {
  const ranks = ranksOf(nodes, edges);
  const columns: GraphNode[][] = [];
  for (const node of nodes) {
    const rank = ranks.get(node.id) ?? 0;
    while (columns.length <= rank) columns.push([]);
    columns[rank]?.push(node);
  }
  const before = new Map<string, string[]>();
  for (const { from, to } of edges) before.set(to, [...(before.get(to) ?? []), from]);
  for (let round = 0; round < ROUNDS; round++) {
    const rows = new Map<string, number>();
    for (const column of columns) {
      const middle = new Map<string, number>();
      column.forEach(({ id }, row) => {
        const known = (before.get(id) ?? []).map((from) => rows.get(from)).filter((at) => at !== undefined);
        middle.set(id, known.length === 0 ? row : known.reduce((sum, at) => sum + at, 0) / known.length);
      });
      column.sort((one, other) => (middle.get(one.id) ?? 0) - (middle.get(other.id) ?? 0));
      for (const [row, { id }] of column.entries()) rows.set(id, row);
    }
  }
  return columns.filter((column) => column.length > 0);
}

/** The longest way to each by bindings and alternates; circles are cut where they close. */
function ranksOf(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): ReadonlyMap<string, number> {
  const before = new Map<string, string[]>();
  for (const { from, to, kind } of edges) if (kind !== 'dead-letter') before.set(to, [...(before.get(to) ?? []), from]);
  const ranks = new Map<string, number>();
  const under = new Set<string>();
  const rankOf = (id: string): number => {
    const known = ranks.get(id);
    if (known !== undefined) return known;
    if (under.has(id)) return -1;
    under.add(id);
    let rank = 0;
    for (const from of before.get(id) ?? []) rank = Math.max(rank, rankOf(from) + 1);
    under.delete(id);
    ranks.set(id, rank);
    return rank;
  };
  for (const { id } of nodes) rankOf(id);
  // Queues that nothing leads to stand with the others.
  for (const { id, kind } of nodes) if (kind === 'queue' && ranks.get(id) === 0) ranks.set(id, 1);
  return ranks;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** From the right side of one to the left side of the other. */
function curve(from: Point, to: Point): string {
  const [startX, startY] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [endX, endY] = [to.x, to.y + NODE.height / 2];
  const bend = Math.max(24, Math.abs(endX - startX) / 2);
  return `M${startX} ${startY} C${startX + bend} ${startY} ${endX - bend} ${endY} ${endX} ${endY}`;
}
