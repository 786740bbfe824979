import { useMemo } from 'preact/hooks';
import { itemsOf, row } from '../core/api';
import { number } from '../core/format';
import { useResource } from '../core/resource';
import { go, link, segment } from '../core/router';
import { Empty, Head, Loading, Panel, Problem, toneOf } from '../ui/parts';
import { Badge } from '../ui/parts';

// A graph of jobs, drawn by layers: a job stands right of everything it follows.

type node = { id: string; row: row; layer: number; place: number };
/// `via`: the heights at which a long edge passes the layers between its ends.
type edge = { from: string; to: string; words: string; via: number[] };
type graph = { nodes: node[]; edges: edge[]; width: number; height: number };

const box = { width: 168, height: 46, across: 72, down: 18, edge: 12 };

function edgesOf(data: any): edge[] {
  return itemsOf(data, 'edges').map((e) => ({
    from: String(e.from),
    to: String(e.to),
    words: String(e.relation ?? ''),
    via: [],
  }));
}

/// Longest way from a beginning; a ring (which there should not be) ends the walk.
function layersOf(ids: string[], edges: edge[]): Map<string, number> {
  const layers = new Map(ids.map((id) => [id, 0]));
  for (let turn = 0; turn < ids.length; turn++) {
    let moved = false;
    for (const e of edges) {
      const wanted = (layers.get(e.from) ?? 0) + 1;
      if (layers.has(e.to) && layers.has(e.from) && wanted > layers.get(e.to)! && wanted <= ids.length) {
        layers.set(e.to, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  return layers;
}

function layOut(data: any): graph {
  const rows = itemsOf(data, 'nodes');
  const ids = rows.map((r) => String(r.id));
  const edges = edgesOf(data).filter((e) => ids.includes(e.from) && ids.includes(e.to));
  const layers = layersOf(ids, edges);
  const columns: string[][] = [];
  for (const id of ids) (columns[layers.get(id)!] ??= []).push(id);
  // A long edge takes a place in each layer it passes, so that it runs behind no box.
  const steps: { from: string; to: string }[] = [];
  const passes = edges.map((e, index) => {
    const between: string[] = [];
    for (let layer = layers.get(e.from)! + 1; layer < layers.get(e.to)!; layer++) {
      between.push(`${index}.${layer}`);
      (columns[layer] ??= []).push(`${index}.${layer}`);
    }
    const all = [e.from, ...between, e.to];
    for (let at = 1; at < all.length; at++) steps.push({ from: all[at - 1]!, to: all[at]! });
    return between;
  });
  const place = new Map<string, number>();
  for (const column of columns.filter(Boolean)) {
    // Beside the middle of those before it, so that lines seldom cross.
    const middle = (id: string) => {
      const before = steps.filter((e) => e.to === id).map((e) => place.get(e.from) ?? 0);
      return before.length ? before.reduce((a, b) => a + b, 0) / before.length : 0;
    };
    column.sort((a, b) => middle(a) - middle(b) || (number(a) ?? 0) - (number(b) ?? 0));
    column.forEach((id, index) => place.set(id, index));
  }
  edges.forEach((e, index) => {
    e.via = passes[index]!.map((id) => place.get(id)!);
  });
  const nodes = rows.map((r, i) => ({ id: ids[i]!, row: r, layer: layers.get(ids[i]!)!, place: place.get(ids[i]!)! }));
  const tallest = Math.max(1, ...columns.filter(Boolean).map((c) => c.length));
  return {
    nodes, edges,
    width: columns.length * (box.width + box.across) - box.across + 2 * box.edge,
    height: tallest * (box.height + box.down) - box.down + 2 * box.edge,
  };
}

function at(n: node): [number, number] {
  return [box.edge + n.layer * (box.width + box.across), box.edge + n.place * (box.height + box.down)];
}

function Line({ from, to, words, via }: { from: node; to: node; words: string; via: number[] }) {
  const middle = (layer: number, place: number): [number, number] => [
    box.edge + layer * (box.width + box.across),
    box.edge + place * (box.height + box.down) + box.height / 2,
  ];
  let [x, y] = middle(from.layer, from.place);
  x += box.width;
  const [wordsX, wordsY] = [x + box.across / 2 - 2, y];
  let path = `M${x} ${y}`;
  const bow = (toX: number, toY: number) => {
    const bend = (toX - x) / 2;
    path += `C${x + bend} ${y} ${toX - bend} ${toY} ${toX} ${toY}`;
    [x, y] = [toX, toY];
  };
  via.forEach((place, index) => {
    const [leftX, middleY] = middle(from.layer + 1 + index, place);
    bow(leftX, middleY);
    x = leftX + box.width;
    path += `L${x} ${y}`;
  });
  const [endX, endY] = middle(to.layer, to.place);
  const firstY = via.length ? middle(from.layer + 1, via[0]!)[1] : endY;
  bow(endX - 5, endY);
  return (
    <g class="graph-edge">
      <path d={path} marker-end="url(#tip)" />
      {words && <text x={wordsX} y={(wordsY + firstY) / 2 - 5} text-anchor="middle">{words.replace(/_/g, ' ')}</text>}
    </g>
  );
}

function cut(text: unknown, most: number): string {
  const whole = String(text ?? '');
  return whole.length > most ? `${whole.slice(0, most - 1)}…` : whole;
}

function Node({ of, here }: { of: node; here: boolean }) {
  const [x, y] = at(of);
  const batch = of.row.type === 'batch';
  const href = link(`${batch ? 'batches' : 'jobs'}/${segment(String(of.id).replace(/^\D+/, ''))}`);
  return (
    <a class={`graph-node ${toneOf(of.row.state)} ${here ? 'here' : ''}`} href={href}
      aria-label={`${batch ? 'Batch' : 'Job'} ${of.id}, ${of.row.kind ?? of.row.name ?? ''}, ${of.row.state ?? ''}`}
      onClick={(e) => {
        e.preventDefault();
        go(href);
      }}>
      <rect x={x} y={y} width={box.width} height={box.height} rx="6" />
      <rect class="graph-tone" x={x} y={y} width="4" height={box.height} rx="2" />
      <text class="graph-name" x={x + 14} y={y + 19}>{cut(of.row.kind ?? of.row.name, 22)}</text>
      <text class="graph-id" x={x + 14} y={y + 35}>{cut(of.id, 14)} · {String(of.row.state ?? '')}</text>
    </a>
  );
}

export function Workflow({ id }: { id: string }) {
  const { data, error, reload } = useResource(`/workflows/${segment(id)}`, {}, 3000);
  const drawn = useMemo(() => (data ? layOut(data) : null), [data]);
  const by = new Map(drawn?.nodes.map((n) => [n.id, n]));
  const states = new Map<string, number>();
  for (const n of drawn?.nodes ?? []) states.set(String(n.row.state), (states.get(String(n.row.state)) ?? 0) + 1);
  return (
    <>
      <Head title={<>Workflow of <span class="mono">{id}</span></>} back={[link(`jobs/${segment(id)}`), `Job ${id}`]}
        note={drawn && <span class="legend">{[...states].map(([state, n]) => <span><Badge state={state}>{n} {state}</Badge></span>)}</span>} />
      <Problem of={error} retry={reload} />
      {!data && !error && <Loading />}
      {drawn && !drawn.nodes.length && <Empty title="It stands alone">No batch, no follow-up and no replay is linked to it.</Empty>}
      {drawn && drawn.nodes.length > 0 && (
        <Panel>
          <div class="graph" tabIndex={0} role="region" aria-label="Graph of jobs">
            <svg width={drawn.width} height={drawn.height} viewBox={`0 0 ${drawn.width} ${drawn.height}`} role="group" aria-label={`${drawn.nodes.length} jobs`}>
              <defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="7" markerHeight="7" orient="auto"><path class="graph-tip" d="M0 0 6 3 0 6z" /></marker></defs>
              {drawn.edges.map((e) => by.has(e.from) && by.has(e.to) && <Line from={by.get(e.from)!} to={by.get(e.to)!} words={e.words} via={e.via} />)}
              {drawn.nodes.map((n) => <Node of={n} here={n.id === id} />)}
            </svg>
          </div>
        </Panel>
      )}
    </>
  );
}
