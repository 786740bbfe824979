import { useMemo } from 'preact/hooks';
import { itemsOf, row } from '../core/api';
import { ago, count, now, number, plural } from '../core/format';
import { valueOf } from '../core/json';
import { useResource } from '../core/resource';
import { current, link, setQuery } from '../core/router';
import { can } from '../core/session';
import { drainWorker, quietWorker, resumeWorker, stopWorker } from '../ui/actions';
import { Badge, Button, Copy, CopyAs, Empty, Facts, Head, Loading, Meter, Panel, Problem, QueueLink, Stamp, Time } from '../ui/parts';
import { Table } from '../ui/table';

function slotsOf(r: row): { running: number; of: number; each: [string, number, number][] } {
  const slots = valueOf(r.slots);
  const each: [string, number, number][] = [];
  let running = 0;
  let of = 0;
  if (slots && typeof slots === 'object') {
    for (const [queue, s] of Object.entries<any>(slots)) {
      const busy = number(s?.running) ?? 0;
      const all = number(s?.concurrency) ?? 0;
      running += busy;
      of += all;
      each.push([queue, busy, all]);
    }
  }
  return { running: each.length ? running : number(r.active) ?? 0, of, each };
}

function list(value: unknown): string[] {
  const found = valueOf(value);
  return Array.isArray(found) ? found.map(String) : [];
}

/// Not the version most of the fleet runs: a deploy under way, or one that was forgotten.
function skewed(rows: row[]): string[] {
  const versions = new Map<string, number>();
  for (const r of rows.filter((w) => w.live)) {
    versions.set(String(r.version), (versions.get(String(r.version)) ?? 0) + 1);
  }
  const most = Math.max(0, ...versions.values());
  return [...versions].filter(([, n]) => n < most).map(([version]) => version);
}

function Unhandled() {
  const { data } = useResource('/kinds/unhandled', {}, 5000);
  const rows = itemsOf(data);
  if (!rows.length) return null;
  return (
    <Panel title="Jobs that no live worker handles" tight class="warn-panel">
      <Table label="Unhandled kinds" rows={rows} most={[25, 'kinds']} id={(r) => `${r.queue} ${r.kind}`} keys={false} columns={[
        { name: 'kind', title: 'Kind', lead: true, render: (r) => <code>{String(r.kind)}</code> },
        { name: 'queue', title: 'Queue', render: (r) => <QueueLink name={r.queue} /> },
        { name: 'waiting', title: 'Waiting', figure: true, render: (r) => (
          <a href={link('jobs', { filter: `state:ready,scheduled,retrying queue:${r.queue} kind:${r.kind}` })}>{count(r.waiting)}{r.count_exact === false && '+'}</a>
        ) },
        { name: 'oldest', title: 'Oldest due', figure: true, render: (r) => <Time at={r.oldest_run_at} /> },
        { name: 'workers', title: 'Workers of the queue', figure: true, render: (r) => count(r.workers) },
      ]} />
    </Panel>
  );
}

/// What it was asked shows until it is so.
function State({ of }: { of: row }) {
  if (!of.live) return <Badge state="lost">silent</Badge>;
  if (of.asked && of.state !== 'draining') {
    const waits = of.state === 'running' || of.asked === 'stop';
    return <Badge state={waits ? 'retrying' : 'paused'}>{waits ? `asked to ${of.asked}` : of.asked === 'drain' ? 'draining' : 'quiet'}</Badge>;
  }
  return <Badge state={of.state === 'running' ? 'live' : of.state} />;
}

function Actions({ of, reload, small }: { of: row; reload: () => void; small?: boolean }) {
  // Nothing comes after stop, and nobody hears who is silent.
  if (!of.live || of.state === 'draining' || of.asked === 'stop') return null;
  return (
    <>
      {can('workers.control') && (of.asked
        ? <Button kind={small ? 'quiet' : 'main'} icon="play" label={`Resume ${of.name}`} onClick={() => resumeWorker(of, reload)}>{small ? null : 'Resume'}</Button>
        : <Button kind={small ? 'quiet' : 'plain'} icon="pause" label={`Quiet ${of.name}`} onClick={() => quietWorker(of, reload)}>{small ? null : 'Quiet'}</Button>)}
      {!small && can('workers.control') && of.asked !== 'drain' && <Button kind="danger" label={`Drain ${of.name}`} onClick={() => drainWorker(of, reload)}>Drain</Button>}
      {!small && can('workers.stop') && <Button kind="danger" label={`Stop ${of.name}`} onClick={() => stopWorker(of, reload)}>Stop</Button>}
    </>
  );
}

function One({ of, reload }: { of: row; reload: () => void }) {
  const slots = slotsOf(of);
  return (
    <Panel title={`Worker ${of.name}`} side={<span class="row-acts"><Actions of={of} reload={reload} /><Button kind="quiet" icon="close" label="Close" onClick={() => setQuery({ id: '' })} /></span>}>
      <Facts rows={[
        ['Identity', <><code>{String(of.id)}</code> <Copy text={String(of.id)} /></>],
        ['State', <State of={of} />],
        ['Process', `${of.host} · pid ${of.pid}`], ['Version', String(of.version)],
        ['Started', <Stamp at={of.started_at} />], ['Last heartbeat', <Stamp at={of.beat_at} />],
        ['Memory', of.rss_bytes && count(of.rss_bytes)],
        ['Kinds', list(of.kinds).map((k) => <><code>{k}</code> </>)],
      ]} />
      {slots.each.map(([queue, busy, all]) => (
        <p class="busy"><QueueLink name={queue} /> <Meter value={busy} of={all} label={`${busy} of ${all} slots busy`} /> <b>{busy} / {all}</b></p>
      ))}
    </Panel>
  );
}

export function Workers() {
  const { data, error, reload } = useResource('/workers', {}, 3000);
  const queue = current.value.get('queue');
  const chosen = current.value.get('id');
  const all = itemsOf(data);
  const rows = useMemo(() => all
    .filter((r) => !queue || list(r.queues).includes(queue))
    .sort((a, b) => Number(!!b.live) - Number(!!a.live)), [data, queue]);
  const skew = skewed(all);
  const live = all.filter((r) => r.live).length;
  const one = all.find((r) => String(r.id) === chosen);
  return (
    <>
      <Head title="Workers" note={data ? <>{plural(live, 'live worker')}{queue && <> · <span class="chip">queue <b>{queue}</b> <button type="button" aria-label="All queues" onClick={() => setQuery({ queue: '' })}>×</button></span></>}</> : undefined}>
        <CopyAs ways={[['qctl', one ? `qctl workers show ${one.id}` : 'qctl workers list'], ['SQL', 'SELECT * FROM queue.worker']]} />
      </Head>
      <Problem of={error} retry={reload} />
      {!data && !error && <Loading />}
      <Unhandled />
      {one && <One of={one} reload={reload} />}
      {skew.length > 0 && <p class="banner">More than one version runs: {skew.join(', ')} beside the others.</p>}
      {data && !rows.length && <Empty title={queue ? `No worker serves ${queue}` : 'No worker yet'}>Start one: <code>workerd --config workerd.yaml</code></Empty>}
      {rows.length > 0 && (
        <Table label="Workers" rows={rows} id={(r) => String(r.id)} open={(r) => link('workers', { queue, id: String(r.id) })} columns={[
          { name: 'name', title: 'Worker', lead: true, render: (r) => <a class="strong" href={link('workers', { queue, id: String(r.id) })}>{String(r.name)}</a> },
          { name: 'state', title: 'State', render: (r) => <State of={r} /> },
          { name: 'busy', title: 'Busy', render: (r) => {
            const s = slotsOf(r);
            return <span class="share"><Meter value={s.running} of={s.of} label={`${s.running} of ${s.of} slots`} /><span class="mono">{s.running} / {s.of || '–'}</span></span>;
          } },
          { name: 'queues', title: 'Queues', wide: true, render: (r) => <span class="summary">{list(r.queues).map((q) => <span class="tag">{q}</span>)}</span> },
          { name: 'host', title: 'Host', render: (r) => <span>{String(r.host)} <span class="dim mono">{String(r.pid)}</span></span> },
          { name: 'version', title: 'Version', render: (r) => <span class={skew.includes(String(r.version)) ? 'tone-retrying' : ''}>{String(r.version)}</span> },
          { name: 'up', title: 'Up', figure: true, minor: true, render: (r) => ago(r.started_at, now.value).replace(' ago', '') },
          { name: 'beat', title: 'Heartbeat', figure: true, render: (r) => <Time at={r.beat_at} /> },
          { name: 'acts', title: 'Actions', figure: true, render: (r) => <span class="row-acts"><Actions of={r} reload={reload} small /></span> },
        ]} />
      )}
    </>
  );
}
