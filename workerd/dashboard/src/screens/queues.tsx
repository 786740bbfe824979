import { call, itemsOf, row } from '../core/api';
import { bytes, count, number, percent, rate, seconds, secondsOf, short } from '../core/format';
import { valueOf } from '../core/json';
import { overview } from '../core/live';
import { judge, oldestSeconds, perSecond, queuesOf } from '../core/model';
import { useKeys } from '../core/keys';
import { useList, useResource } from '../core/resource';
import { link, segment } from '../core/router';
import { can } from '../core/session';
import { clearQueue, enqueueJob, pauseQueue, resumeQueue } from '../ui/actions';
import { ask } from '../ui/dialog';
import { Badge, Button, CopyAs, Empty, Facts, Figure, Head, Loading, Meter, Panel, Problem, QueueLink, Time } from '../ui/parts';
import { Table, column } from '../ui/table';
import { jobColumns, jobHref, More } from './jobs';
import { Trends, useTrends } from './overview';
import { toast } from '../ui/toast';

function Actions({ of, reload, small }: { of: row; reload: () => void; small?: boolean }) {
  const name = String(of.queue);
  const kind = small ? 'quiet' : 'plain';
  return (
    <>
      {of.paused
        ? can('queues.pause') && <Button kind={small ? 'quiet' : 'main'} icon="play" label={`Resume ${name}`} onClick={() => resumeQueue(name, reload)}>{small ? null : 'Resume'}</Button>
        : can('queues.pause') && <Button kind={kind} icon="pause" label={`Pause ${name}`} onClick={() => pauseQueue(name, reload)}>{small ? null : 'Pause'}</Button>}
      {!small && can('queues.clear') && <Button icon="trash" kind="danger" label={`Clear ${name}`} onClick={() => clearQueue(name, of, reload)}>Clear</Button>}
    </>
  );
}

function setObjective(of: row, reload: () => void): void {
  const now = number(of.objective_seconds);
  ask({
    title: `Objective of ${of.queue}`,
    consequence: 'How old its oldest waiting job may get before the queue counts as behind.',
    fields: [{ name: 'age', label: 'At most', value: now === null ? '' : seconds(now), hint: 'Such as 30s, 10m, 1h; empty: none' }],
    action: 'Save',
    run: async (values) => {
      const wanted = values.age ? secondsOf(values.age) : null;
      if (values.age && wanted === null) throw new Error('Expected a time such as 30s, 10m or 1h.');
      await call('PUT', `/queues/${segment(of.queue)}/objective`, { body: wanted === null ? {} : { seconds: wanted } });
      toast(`The objective of ${of.queue} is saved`);
      reload();
    },
  });
}

const figure = (name: string, title: string, minor = false): column => ({
  name, title, figure: true, minor, render: (r) => <span class={number(r[name]) ? '' : 'dim'}>{short(r[name])}</span>,
});

export function Queues() {
  const { data, error, reload } = useResource('/queues', {}, 3000);
  const rows = itemsOf(data);
  const create = () => ask({
    title: 'New queue',
    consequence: 'Workers serve it once their configuration names it.',
    fields: [{ name: 'name', label: 'Name', required: true }],
    action: 'Make the queue',
    run: async (values) => {
      await call('POST', '/queues', { body: { name: values.name!.trim() } });
      toast(`${values.name} was made`);
      reload();
    },
  });
  return (
    <>
      <Head title="Queues">
        <CopyAs ways={[['qctl', 'qctl queues list'], ['SQL', 'SELECT * FROM queue.queue_stats']]} />
        {can('queues.create') && <Button onClick={create}>New queue</Button>}
      </Head>
      <Problem of={error} retry={reload} />
      {!data && !error && <Loading />}
      {data && !rows.length && <Empty title="No queue yet" />}
      {rows.length > 0 && (
        <Table label="Queues" rows={rows} id={(r) => String(r.queue)} open={(r) => link(`queues/${segment(r.queue)}`)}
          columns={[
            { name: 'queue', title: 'Queue', lead: true, render: (r) => <QueueLink name={r.queue} /> },
            { name: 'state', title: 'State', wide: true, render: (r) => r.paused
              ? <span><Badge state="paused" /> <span class="dim">{String(r.pause_reason ?? '')}{r.paused_by ? ` · ${r.paused_by}` : ''} <Time at={r.paused_at} /></span></span>
              : <Badge state="open">open</Badge> },
            figure('ready', 'Ready'), figure('running', 'Running'), figure('retrying', 'Retrying'),
            figure('scheduled', 'Scheduled', true), figure('dead', 'Dead'),
            { name: 'oldest', title: 'Oldest ready', figure: true, render: (r) => <Time at={r.oldest_ready_at} /> },
            { name: 'acts', title: 'Actions', figure: true, render: (r) => <span class="row-acts"><Actions of={r} reload={reload} small /></span> },
          ]} />
      )}
    </>
  );
}

function Lines({ of }: { of: row }) {
  const lines = (valueOf(of.lines) ?? []) as row[];
  if (!lines.length) return null;
  return (
    <Panel title="Lines" tight side={<span class="dim">one per kind and priority</span>}>
      <Table label="Lines" rows={lines} id={(r) => `${r.kind} ${r.priority}`}
        open={(r) => link('jobs', { filter: `queue:${of.queue} kind:${r.kind} state:ready,scheduled,retrying` })}
        keys={false}
        columns={[
          { name: 'kind', title: 'Kind', lead: true, render: (r) => <code>{String(r.kind)}</code> },
          { name: 'priority', title: 'Priority', figure: true, render: (r) => r.priority },
          { name: 'waiting', title: 'Waiting', figure: true, render: (r) => `${count(r.waiting)}${(number(r.waiting) ?? 0) >= 1000 ? '+' : ''}` },
          { name: 'oldest', title: 'Oldest due', figure: true, render: (r) => <Time at={r.oldest_run_at} /> },
        ]} />
    </Panel>
  );
}

export function Queue({ name }: { name: string }) {
  const { data, error, reload } = useResource<row>(`/queues/${segment(name)}`, {}, 3000);
  const trends = useTrends(name);
  const list = useList('/jobs', { filter: `queue:${name}`, limit: 25 }, (r) => String(r.id), 5000);
  const seen = queuesOf(overview.value).find((q) => q.queue === name) ?? {};
  const of: row | null = data ? { ...seen, ...(Array.isArray(data.items) ? data.items[0] : data) } : null;
  useKeys(
    of && !of.paused && can('queues.pause')
      ? [{ keys: 'P', what: 'Pause this queue', group: 'This screen', run: () => pauseQueue(name, reload) }]
      : [],
    [of?.paused],
  );
  const back: [string, string] = [link('queues'), 'Queues'];
  if (!of) {
    return <><Head title={name} back={back} />{error ? <Problem of={error} retry={reload} /> : <Loading />}</>;
  }
  const verdict = judge(of);
  const busy = number(of.running) ?? 0;
  const slots = number(of.concurrency) ?? 0;
  const jobs = (state: string) => link('jobs', { filter: `state:${state} queue:${name}` });
  return (
    <>
      <Head back={back} title={name} note={<span class={`verdict ${verdict.tone}`}>{verdict.words}</span>}>
        <CopyAs ways={[['qctl', `qctl queues show ${name}`], ['SQL', `SELECT * FROM queue.queue_stats WHERE queue = '${name.replace(/'/g, "''")}'`]]} />
        {can('queues.change') && <Button onClick={() => setObjective(of, reload)}>Objective</Button>}
        {can('jobs.enqueue') && <Button onClick={() => enqueueJob('', name)}>Enqueue</Button>}
        <Actions of={of} reload={reload} />
      </Head>
      <Problem of={error} />
      {of.paused && (
        <p class="banner warn">
          Paused by {String(of.paused_by ?? 'somebody')} <Time at={of.paused_at} />{of.pause_reason ? `: ${of.pause_reason}` : ''}
        </p>
      )}
      <div class="figures">
        <Figure name="Ready" value={short(of.ready)} href={jobs('ready')} />
        <Figure name="Running" value={short(of.running)} href={jobs('running')} note={slots ? `${count(slots)} slots` : undefined} />
        <Figure name="Retrying" value={short(of.retrying)} href={jobs('retrying')} />
        <Figure name="Scheduled" value={short(of.scheduled)} href={jobs('scheduled')} />
        <Figure name="Dead" value={short(of.dead)} href={link('failures', { filter: `queue:${name}` })} tone={number(of.dead) ? 'tone-dead' : ''} />
        <Figure name="Oldest waiting" value={oldestSeconds(of) === null ? <Time at={of.oldest_ready_at} /> : seconds(oldestSeconds(of))}
          note={number(of.objective_seconds) !== null ? `${seconds(of.objective_seconds)} allowed` : undefined} />
        <Figure name="Finished" value={perSecond(of) === null ? '–' : `${rate(perSecond(of))}/s`}
          note={number(of.failed_percent) !== null ? `${percent(of.failed_percent)} failed` : undefined} />
        <Figure name="Workers" value={count(of.workers)} href={link('workers', { queue: name })} tone={number(of.workers) === 0 ? 'tone-dead' : ''} />
      </div>
      {slots > 0 && (
        <p class="busy"><span>Busy</span> <Meter value={busy} of={slots} label={`${count(busy)} of ${count(slots)} slots busy`} /> <b>{count(busy)} / {count(slots)}</b></p>
      )}
      <Trends of={trends} />
      <div class="halves">
        <Lines of={of} />
        <Panel title="Settings">
          <Facts rows={[
            ['Made', <Time at={of.created_at} />],
            ['Largest payload', of.max_payload_bytes !== undefined && bytes(of.max_payload_bytes)],
            ['Objective', number(of.objective_seconds) !== null ? seconds(of.objective_seconds) : 'none'],
          ]} />
        </Panel>
      </div>
      <Panel title="Newest jobs" tight side={<a href={link('jobs', { filter: `queue:${name}` })}>All</a>}>
        <Problem of={list.error} />
        {list.fresh > 0 && <button type="button" class="fresh" onClick={list.showNew}>{list.fresh} new: show</button>}
        {list.rows !== null && (list.rows.length
          ? <Table label="Newest jobs" rows={list.rows} id={(r) => String(r.id)} keys
              columns={jobColumns.filter((c) => c.name !== 'queue')} open={(r) => jobHref(r, `queue:${name}`)} />
          : <Empty title="No job yet" />)}
        <More list={list} />
      </Panel>
    </>
  );
}
