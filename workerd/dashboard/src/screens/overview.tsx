import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import { itemsOf, row } from '../core/api';
import { bytes, count, duration, instant, number, percent, plural, range, rangeOf, rate, seconds, short } from '../core/format';
import { beats, failing, overview, state } from '../core/live';
import { byTrouble, firstLine, judge, oldestSeconds, perSecond, queuesOf } from '../core/model';
import { resource, useResource } from '../core/resource';
import { current, link, segment, setQuery } from '../core/router';
import { can, whoami } from '../core/session';
import { OpenAlerts } from '../ui/alerts';
import { Chart, mark } from '../ui/chart';
import { Badge, Button, Empty, Figure, Head, Loading, Meter, Panel, Problem, Stack, Tabs, Time } from '../ui/parts';
import { Table, column } from '../ui/table';

function Light({ of }: { of: row }) {
  const found = judge(of);
  return <span class={`light ${found.tone}`}><i aria-hidden="true" />{found.words}</span>;
}

function jobsOf(queue: unknown, states: string): string {
  return link('jobs', { filter: `state:${states} queue:${queue}` });
}

function Age({ of }: { of: row }) {
  const age = oldestSeconds(of);
  const objective = number(of.objective_seconds);
  if (!age) return <span class="dim">–</span>;
  const label = objective === null ? seconds(age) : `${seconds(age)} of ${seconds(objective)} allowed`;
  return (
    <span class="age">
      {seconds(age)}
      {objective !== null && (
        <Meter value={age} of={objective} label={label}
          tone={age > objective ? 'dead' : age > objective / 2 ? 'retrying' : 'completed'} />
      )}
    </span>
  );
}

/// Long lines are estimated from a sample.
function about(of: row, name: string): string {
  const long = of.count_exact === false && (number(of[name]) ?? 0) >= 1000;
  return `${long ? '~' : ''}${short(of[name])}`;
}

const columns: column[] = [
  { name: 'queue', title: 'Queue', lead: true, sort: (r) => String(r.queue),
    render: (r) => <a class="strong" href={link(`queues/${segment(r.queue)}`)}>{String(r.queue)}</a> },
  { name: 'state', title: 'State', render: (r) => <Light of={r} /> },
  { name: 'age', title: 'Oldest waiting', sort: (r) => oldestSeconds(r) ?? -1, render: (r) => <Age of={r} /> },
  { name: 'depth', title: 'In line', render: (r) => (
    <a class="depth" href={jobsOf(r.queue, 'ready,running,retrying,scheduled')}>
      <Stack label={`${count(r.ready)} ready, ${count(r.running)} running, ${count(r.retrying)} retrying, ${count(r.scheduled)} scheduled`}
        parts={[['running', number(r.running) ?? 0], ['ready', number(r.ready) ?? 0],
          ['retrying', number(r.retrying) ?? 0], ['scheduled', number(r.scheduled) ?? 0]]} />
    </a>
  ) },
  ...(['ready', 'running', 'retrying', 'scheduled'] as const).map((name): column => ({
    name, title: name[0]!.toUpperCase() + name.slice(1), figure: true, minor: name === 'scheduled',
    sort: (r) => number(r[name]) ?? -1,
    render: (r) => number(r[name])
      ? <a href={jobsOf(r.queue, name)}>{about(r, name)}</a> : <span class="dim">{short(r[name])}</span>,
  })),
  { name: 'dead', title: 'Dead', figure: true, sort: (r) => number(r.dead) ?? -1,
    render: (r) => number(r.dead)
      ? <a class="tone-dead" href={link('failures', { filter: `queue:${r.queue}` })}>{about(r, 'dead')}</a>
      : <span class="dim">{short(r.dead)}</span> },
  { name: 'rate', title: 'Per second', figure: true, sort: (r) => perSecond(r) ?? -1, render: (r) => rate(perSecond(r)) },
  { name: 'failed', title: 'Failed', figure: true, sort: (r) => number(r.failed_percent) ?? -1,
    render: (r) => <span class={(number(r.failed_percent) ?? 0) >= 5 ? 'tone-dead' : ''}>{percent(r.failed_percent)}</span> },
  { name: 'workers', title: 'Workers', figure: true, minor: true, render: (r) => (
    <a href={link('workers', { queue: String(r.queue) })} class={number(r.workers) === 0 ? 'tone-dead' : ''}>{count(r.workers)}</a>
  ) },
];

function sentence(queues: row[]): [string, string] {
  const bad = queues.filter((q) => judge(q).tone === 'bad');
  const warn = queues.filter((q) => judge(q).tone === 'warn');
  const off = queues.filter((q) => judge(q).tone === 'off');
  if (!queues.length) return ['good', 'No queues yet.'];
  const tail = off.length ? ` ${plural(off.length, 'queue')} paused.` : '';
  if (bad.length) {
    return ['bad', `${bad.slice(0, 3).map((q) => `${q.queue}: ${judge(q).words}`).join(', ')}${bad.length > 3 ? ` and ${bad.length - 3} more` : ''}.${tail}`];
  }
  if (warn.length) return ['warn', `${warn.slice(0, 3).map((q) => `${q.queue}: ${judge(q).words}`).join(', ')}.${tail}`];
  return ['good', `All ${plural(queues.length, 'queue')} are in time.${tail}`];
}

type series = { t: number[]; series: { metric: string; name: string; values: (number | null)[] }[] };

/// Deploys: when the first of the workers that run now began with a version.
function deploys(): mark[] {
  const first = new Map<string, number>();
  for (const w of itemsOf(overview.value, 'workers')) {
    const at = instant(w.started_at);
    const version = String(w.version ?? '');
    if (at !== null && version) first.set(version, Math.min(first.get(version) ?? Infinity, at));
  }
  return [...first].map(([version, at]) => ({ at: at / 1000, text: version }));
}

const chartTones: Record<string, string> = {
  completed: 'tone-completed', failed: 'tone-dead', percent: 'tone-dead', dead: 'tone-dead', failures: 'tone-dead',
  p50: 'tone-running', p95: 'tone-retrying', p99: 'tone-dead',
  ready: 'tone-ready', running: 'tone-running', retrying: 'tone-retrying', scheduled: 'tone-scheduled',
};
const cycle = ['tone-running', 'tone-completed', 'tone-retrying', 'tone-scheduled', 'tone-ready'];

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

function shownTime(): range {
  const { value } = current;
  return rangeOf(value.get('from'), value.get('to'), value.get('span'), Date.now() / 1000);
}

/// All charts of a screen by one question.
export function useTrends(queue?: string): resource<series> {
  beats.overview.value;
  const { from, to, step } = shownTime();
  // The samples are of the whole installation: who is kept to one tenant has none.
  return useResource<series>(whoami.value?.tenant_id ? null : '/stats/series', {
    metric: 'throughput,failures,wait,run', queue, step, from: iso(from), to: iso(to),
  });
}

function SeriesChart(props: {
  title: string;
  metric: string;
  of: resource<series>;
  format: (v: number | null | undefined) => string;
}) {
  const { data, error } = props.of;
  const lines = useMemo(
    () => (data?.series ?? []).filter((s) => s.metric === props.metric).map((s, i) => ({
      name: s.name, values: s.values, tone: chartTones[s.name] ?? cycle[i % cycle.length]!, fill: i === 0,
    })),
    [data, props.metric],
  );
  const title = <figcaption><span class="chart-title">{props.title}</span></figcaption>;
  if (!data && error) return <figure class="chart">{title}<p class="dim pad">{error.detail || error.title}</p></figure>;
  if (!data) return <figure class="chart"><Loading /></figure>;
  if (!lines.some((l) => l.values.some((v) => v !== null))) {
    return <figure class="chart">{title}<p class="dim pad">No samples of this time yet.</p></figure>;
  }
  return (
    <Chart title={props.title} t={data.t} lines={lines} format={props.format} marks={deploys()} synced="time"
      onRange={(a, b) => setQuery({ from: String(Math.floor(a)), to: String(Math.ceil(b)), span: '' })} />
  );
}

function Spans() {
  const { chosen } = shownTime();
  return (
    <div class="spans">
      {chosen && <Button kind="quiet" icon="close" onClick={() => setQuery({ from: '', to: '' })}>Range</Button>}
      <Tabs label="Time" name="span" tabs={[['1h', '1 h'], ['15m', '15 min'], ['6h', '6 h'], ['24h', '24 h'], ['7d', '7 d']]} />
    </div>
  );
}

const milliseconds = (v: number | null | undefined) => (v === null || v === undefined ? '–' : duration(v * 1000));

export function Trends({ of }: { of: resource<series> }) {
  if (whoami.value?.tenant_id) return null;
  return (
    <Panel title="Over time" side={<Spans />}>
      <div class="charts">
        <SeriesChart title="Finished per second" metric="throughput" of={of} format={(v) => rate(v)} />
        <SeriesChart title="Failed" metric="failures" of={of} format={(v) => percent(v)} />
        <SeriesChart title="Waited" metric="wait" of={of} format={milliseconds} />
        <SeriesChart title="Ran" metric="run" of={of} format={milliseconds} />
      </div>
    </Panel>
  );
}

function Newest({ of: { data, error } }: { of: resource<any> }) {
  const groups = itemsOf(data).filter((g) => !g.muted).slice(0, 5);
  return (
    <Panel title="Newest failures" tight side={<a href={link('failures')}>All</a>}>
      <Problem of={error} />
      {data && !groups.length && <Empty title="Nothing is dead" />}
      <ul class="lines">
        {groups.map((g) => (
          <li>
            <a href={link('failures', { group: String(g.fingerprint) })}>
              <b class="line-count">{short(g.count)}</b>
              <span class="line-main"><code>{String(g.kind)}</code> {firstLine(g.error)}</span>
              <span class="dim"><Time at={g.last_died_at} /></span>
            </a>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Warnings() {
  const { data, error } = useContext(OpenAlerts)!;
  const found = itemsOf(data).slice(0, 5);
  return (
    <Panel title="Alerts" tight side={<a href={link('alerts')}>All</a>}>
      <Problem of={error} />
      {data && !found.length && <Empty title="No alert is open" />}
      <ul class="lines">
        {found.map((a) => (
          <li>
            <a href={link('alerts')}>
              <Badge state={a.severity} />
              <span class="line-main"><code>{String(a.subject ?? '')}</code> {String(a.summary ?? '')}</span>
              <span class="dim"><Time at={a.raised_at} /></span>
            </a>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Figures({ of, queues }: { of: any; queues: row[] }) {
  const sum = (name: string) => queues.reduce((all, q) => all + (number(q[name]) ?? 0), 0);
  const known = queues.some((q) => perSecond(q) !== null);
  const workers = itemsOf(of, 'workers');
  const base = of?.database;
  const live = base ? number(base.workers_live) : workers.length ? workers.filter((w) => w.live).length : null;
  const silent = number(base?.workers_silent) ?? 0;
  const done = queues.reduce((all, q) => all + (perSecond(q) ?? 0), 0);
  const held = number(base?.oldest_transaction_seconds);
  return (
    <div class="figures">
      <Figure name="Ready" value={short(sum('ready'))} href={link('jobs', { filter: 'state:ready' })} />
      <Figure name="Running" value={short(sum('running'))} href={link('jobs', { filter: 'state:running' })} />
      <Figure name="Retrying" value={short(sum('retrying'))} href={link('jobs', { filter: 'state:retrying' })}
        tone={sum('retrying') ? 'tone-retrying' : ''} />
      <Figure name="Dead" value={short(sum('dead'))} href={link('failures')} tone={sum('dead') ? 'tone-dead' : ''} />
      <Figure name="Finished" value={known ? `${rate(done)}/s` : '–'} />
      <Figure name="Workers" value={count(live)} href={link('workers')} tone={live === 0 ? 'tone-dead' : ''}
        note={silent ? `${count(silent)} silent` : undefined} />
      {base && (
        <Figure name="Database" href={link('database')} value={bytes(base.bytes)}
          tone={held !== null && held > 300 ? 'tone-retrying' : ''}
          note={held === null ? undefined : `oldest transaction ${seconds(held)}`} />
      )}
    </div>
  );
}

/// The stream begins with the latest overview, which is the same for all who look. It is asked for
/// only where no stream is, or none that gets through.
function useFirst(): resource<any> {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1500);
    return () => clearTimeout(timer);
  }, []);
  const comes = !late && !failing.value && (state.value === 'connecting' || state.value === 'live');
  return useResource(overview.value || comes ? null : '/overview');
}

export function Overview() {
  const first = useFirst();
  // Asked for at once, and seen when what stands above is there: nothing moves.
  const trends = useTrends();
  const failures = useResource(can('dead_letters.read') ? '/dead-letters/groups' : null, {}, 10_000);
  const data = overview.value ?? first.data;
  const queues = queuesOf(data);
  const by = current.value.get('sort');
  const down = current.value.get('up') !== 'yes';
  const column = columns.find((c) => c.name === by && c.sort);
  const sorted = useMemo(() => {
    if (!column) return byTrouble(queues);
    const of = column.sort!;
    return [...queues].sort((a, b) => {
      const x = of(a), y = of(b);
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
    });
  }, [data, by, down]);
  const [tone, words] = sentence(queues);
  return (
    <>
      <Head title="Overview" note={data ? <span class={`verdict ${tone}`}>{words}</span> : undefined}>
        <Button icon="full" kind="quiet" label="Full screen" onClick={() => {
          setQuery({ full: current.value.get('full') === 'yes' ? '' : 'yes' });
        }} />
      </Head>
      <Problem of={data ? null : first.error} retry={first.reload} />
      {!data && !first.error && <Loading />}
      {data && (
        <>
          <Figures of={data} queues={queues} />
          <Panel tight class="overview-queues">
            {queues.length ? (
              <Table label="Queues, worst first" columns={columns} rows={sorted} most={[25, 'queues']} id={(r) => String(r.queue)}
                open={(r) => link(`queues/${segment(r.queue)}`)} tone={(r) => `row-${judge(r).tone}`}
                sorted={{ by, down, set: (name) => setQuery({
                  sort: by === name && !down ? '' : name, up: by === name && down ? 'yes' : '',
                }, true) }} />
            ) : (
              <Empty title="No queue yet">
                The first job makes one: <code>qctl enqueue debug.echo '{'{}'}'</code>
              </Empty>
            )}
          </Panel>
        </>
      )}
      {(data || first.error) && (
        <>
          <Trends of={trends} />
          <div class="halves">
            {can('dead_letters.read') && <Newest of={failures} />}
            {can('alerts.read') && <Warnings />}
          </div>
        </>
      )}
    </>
  );
}

