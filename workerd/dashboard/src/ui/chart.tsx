import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { absolute, zone } from '../core/format';
import { colours } from '../core/settings';

export type line = { name: string; values: (number | null)[]; tone: string; fill?: boolean };
export type mark = { at: number; text: string };

/// Colours of the style sheet, as the canvas wants them; asked for once, as each asking makes the
/// browser look at all styles.
let asked = -1;
const found_colours = new Map<string, string>();
function colour(name: string): string {
  if (asked !== colours.value) found_colours.clear();
  asked = colours.value;
  const known = found_colours.get(name);
  if (known) return known;
  const probe = document.createElement('i');
  probe.className = `probe ${name}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  found_colours.set(name, found);
  return found;
}

function faint(found: string): string {
  return found.replace(/^rgb\(([^)]+)\)$/, 'rgba($1, 0.14)');
}

/// Deploys and changed settings, as upright lines with their words.
function drawMarks(marks: () => mark[]): (u: uPlot) => void {
  return (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour('tone-dim');
    ctx.setLineDash([3, 3]);
    ctx.textAlign = 'left';
    ctx.textBaseline = 'alphabetic';
    ctx.font = `${10 * devicePixelRatio}px system-ui`;
    for (const each of marks()) {
      const x = u.valToPos(each.at, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.fillText(each.text, x + 4, bbox.top + 10 * devicePixelRatio);
    }
    ctx.restore();
  };
}

function dataOf({ t, lines }: { t: number[]; lines: line[] }): uPlot.AlignedData {
  return [t, ...lines.map((l) => l.values)] as uPlot.AlignedData;
}

export function Chart(props: {
  title: string;
  t: number[];
  lines: line[];
  format: (value: number | null | undefined) => string;
  marks?: mark[];
  height?: number;
  onRange?: (from: number, to: number) => void;
  synced?: string;
}) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const { t, lines, marks, format, height = 132 } = props;
  const shape = lines.map((l) => l.name + l.tone).join('|') + colours.value + zone.value;
  const marked = JSON.stringify(marks ?? []);
  const latest = useRef({ t, lines, marks });
  latest.current = { t, lines, marks };
  useLayoutEffect(() => {
    const element = host.current!;
    const axis = { stroke: colour('tone-dim'), grid: { stroke: colour('tone-grid'), width: 1 },
      ticks: { show: false }, font: '11px system-ui', gap: 4 };
    const make = (width: number) => new uPlot(
      {
        width: Math.max(120, width),
        height,
        legend: { show: false },
        tzDate: zone.value === 'utc' ? (ts) => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC') : undefined,
        padding: [8, 6, 0, 0],
        cursor: { y: false, points: { size: 5 }, drag: { x: !!props.onRange, y: false, setScale: false },
          ...(props.synced ? { sync: { key: props.synced } } : {}) },
        scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, 1e-9) * 1.1 || 1] } },
        axes: [
          { ...axis, size: 22, space: 70, values: [[86400, '{MMM} {D}', null, null, null, null, null, null, 1],
            [60, '{HH}:{mm}', null, null, null, null, null, null, 1],
            [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1]] },
          { ...axis, size: 46, space: 30, values: (_, found) => found.map((v) => format(v)) },
        ],
        series: [
          {},
          ...lines.map((l) => {
            const stroke = colour(l.tone);
            return { label: l.name, stroke, width: 1.5, fill: l.fill ? faint(stroke) : undefined,
              points: { show: false }, spanGaps: false };
          }),
        ],
        hooks: {
          draw: [drawMarks(() => latest.current.marks ?? [])],
          setCursor: [(u) => setAt(u.cursor.idx ?? null)],
          setSelect: [(u) => {
            if (u.select.width < 4) return;
            props.onRange?.(u.posToVal(u.select.left, 'x'),
              u.posToVal(u.select.left + u.select.width, 'x'));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          }],
        },
      },
      dataOf(latest.current),
      element,
    );
    // The browser tells the width when it has laid out the page; asking would make it do so for
    // each chart.
    const watch = new ResizeObserver(([seen]) => {
      const width = Math.max(120, Math.floor(seen!.contentRect.width));
      if (!plot.current) plot.current = make(width);
      else if (plot.current.width !== width) plot.current.setSize({ width, height });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, height]);
  useEffect(() => {
    plot.current?.setData(dataOf(latest.current));
  }, [t, lines]);
  useEffect(() => {
    plot.current?.redraw(false);
  }, [marked]);
  const index = at !== null && at < t.length ? at : t.length - 1;
  const words = lines.map((l) => `${l.name} ${format(l.values[index])}`).join(', ');
  return (
    <figure class="chart" aria-label={`${props.title}: ${words}`}>
      <figcaption>
        <span class="chart-title">{props.title}</span>
        <span class="chart-at">{at !== null && t[index] ? absolute(t[index]! * 1000).slice(11) : ''}</span>
        <span class="chart-keys">
          {lines.map((l) => (
            <span>
              <i class={`swatch ${l.tone}`} /> {l.name} <b>{format(l.values[index])}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={host} class="chart-host" style={{ height: `${height}px` }} />
    </figure>
  );
}
