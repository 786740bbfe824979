import { call, freshKey, itemsOf, row } from '../core/api';
import { cronWords } from '../core/cron';
import { absolute, count, duration, instant, now, number, zone } from '../core/format';
import { textOf } from '../core/json';
import { useList, useResource } from '../core/resource';
import { go, link, segment } from '../core/router';
import { can } from '../core/session';
import { act } from '../ui/actions';
import { ask } from '../ui/dialog';
import { Json } from '../ui/json_view';
import { Badge, Button, CopyAs, Empty, Facts, Head, JobLink, Loading, Panel, Problem, QueueLink, Stamp, Time } from '../ui/parts';
import { Table } from '../ui/table';
import { toast } from '../ui/toast';
import { More } from './jobs';

const path = (name: unknown): string => `/schedules/${segment(name)}`;

function actsOn(of: row, reload: () => void) {
  const name = String(of.name);
  return {
    run: () => void act(`${name} runs now`, () => call('POST', `${path(name)}/run`, { key: freshKey() }), reload),
    pause: () => void act(`${name} is paused`, () => call('POST', `${path(name)}/pause`, { key: freshKey() }), reload),
    resume: () => void act(`${name} goes on`, () => call('POST', `${path(name)}/resume`, { key: freshKey() }), reload),
    remove: () => ask({
      title: `Remove ${name}?`, consequence: 'It makes no more jobs. Jobs it has made stay.',
      confirm: name, action: 'Remove', danger: true,
      run: async () => {
        await call('DELETE', path(name));
        toast(`${name} is removed`);
        go(link('schedules'));
      },
    }),
    edit: () => editSchedule(of, reload),
  };
}

function editSchedule(of: row | null, reload: () => void): void {
  ask({
    title: of ? `Change ${of.name}` : 'New schedule',
    fields: [
      ...(of ? [] : [{ name: 'name', label: 'Name', required: true }]),
      { name: 'cron', label: 'Cron', value: String(of?.cron ?? '0 * * * *'), required: true, hint: 'Five fields, or six with seconds first' },
      { name: 'timezone', label: 'Time zone', value: String(of?.timezone ?? 'UTC'), required: true },
      { name: 'kind', label: 'Kind', value: String(of?.kind ?? ''), required: true },
      { name: 'queue', label: 'Queue', value: String(of?.queue ?? '') },
      { name: 'misfire', label: 'When slots were missed', kind: 'select' as const,
        options: ['collapse', 'skip', 'backfill'], value: String(of?.misfire ?? 'collapse').replace(/\(.*/, '') },
      { name: 'backfill_max', label: 'Of backfill: at most', kind: 'number' as const,
        value: /\((\d+)\)/.exec(String(of?.misfire ?? ''))?.[1] ?? '' },
      { name: 'overlap', label: 'While the last job still runs', kind: 'select' as const,
        options: ['allow', 'forbid'], value: String(of?.overlap ?? 'allow') },
      { name: 'payload', label: 'Payload', kind: 'area' as const, value: textOf(of?.payload) ?? '{}' },
    ],
    action: of ? 'Save' : 'Make the schedule',
    run: async (values) => {
      const { name, payload, backfill_max, ...rest } = values;
      const body: row = Object.fromEntries(Object.entries(rest).filter(([, v]) => v));
      if (rest.misfire === 'backfill' && number(backfill_max)) body.backfill_max = number(backfill_max);
      if (of?.priority !== undefined && of?.priority !== null) body.priority = of.priority;
      if (of?.max_attempts) body.max_attempts = of.max_attempts;
      const wanted = JSON.stringify(body);
      const text = `${wanted.slice(0, -1)},"payload":${payload!.trim() || '{}'}}`;
      await call('PUT', path(of?.name ?? name), { text });
      toast(`${of?.name ?? name} is saved`);
      reload();
    },
  });
}

export function Schedules() {
  const list = useList('/schedules', { limit: 200 }, (r) => String(r.name) + (r.tenant_id ?? ''), 5000);
  return (
    <>
      <Head title="Schedules">
        <CopyAs ways={[['qctl', 'qctl schedules list'], ['SQL', 'SELECT * FROM queue.schedules']]} />
        {can('schedules.change') && <Button onClick={() => editSchedule(null, list.reload)}>New schedule</Button>}
      </Head>
      <Problem of={list.error} retry={list.reload} />
      {list.rows === null && !list.error && <Loading />}
      {list.rows !== null && (list.rows.length ? (
        <Table label="Schedules" rows={list.rows} id={(r) => String(r.name) + (r.tenant_id ?? '')} open={(r) => link(`schedules/${segment(r.name)}`)}
          columns={[
            { name: 'name', title: 'Schedule', lead: true, render: (r) => <a class="strong" href={link(`schedules/${segment(r.name)}`)}>{String(r.name)}</a> },
            { name: 'cron', title: 'When', wide: true, render: (r) => <span><code>{String(r.cron)}</code> <span class="dim">{cronWords(r.cron)}{r.timezone && r.timezone !== 'UTC' ? ` · ${r.timezone}` : ''}</span></span> },
            { name: 'kind', title: 'Kind', render: (r) => <code class="kind">{String(r.kind)}</code> },
            { name: 'next', title: 'Next', figure: true, render: (r) => r.paused ? <Badge state="paused" /> : <Time at={r.next_at} /> },
            { name: 'last', title: 'Last', render: (r) => r.last_outcome ? <span><Badge state={r.last_outcome} /> <Time at={r.last_slot} /></span> : <span class="dim">never</span> },
            { name: 'lateness', title: 'Late by', figure: true, minor: true, render: (r) => duration(r.lateness_ms) },
            { name: 'runs', title: 'Runs', figure: true, minor: true, render: (r) => count(r.runs) },
            { name: 'acts', title: 'Actions', figure: true, render: (r) => {
              const acts = actsOn(r, list.reload);
              return (
                <span class="row-acts">
                  {can('schedules.run') && <Button kind="quiet" icon="bolt" label={`Run ${r.name} now`} onClick={acts.run} />}
                  {can('schedules.change') && (r.paused
                    ? <Button kind="quiet" icon="play" label={`Resume ${r.name}`} onClick={acts.resume} />
                    : <Button kind="quiet" icon="pause" label={`Pause ${r.name}`} onClick={acts.pause} />)}
                </span>
              );
            } },
          ]} />
      ) : <Empty title="No schedule yet">One that runs each hour: <code>qctl schedules set NAME --cron '0 * * * *' --kind KIND</code></Empty>)}
      <More list={list} />
    </>
  );
}

/// Hours between two slots that differ from the others by one tell of a change of the clocks.
function clockChange(slots: number[]): boolean {
  const gaps = slots.slice(1).map((at, i) => at - slots[i]!);
  return gaps.some((gap) => Math.abs(Math.abs(gap - gaps[0]!) - 3_600_000) < 1000 && gap % 3_600_000 === 0);
}

export function Schedule({ name }: { name: string }) {
  const { data, error, reload } = useResource<row>(path(name), {}, 5000);
  const next = useResource(`${path(name)}/next`, { n: 5 }, 15_000);
  const runs = useResource(`${path(name)}/runs`, { n: 50 }, 5000);
  const back: [string, string] = [link('schedules'), 'Schedules'];
  const of: row | null = data ? (Array.isArray(data.items) ? data.items[0] : data) : null;
  if (!of) return <><Head title={name} back={back} />{error ? <Problem of={error} retry={reload} /> : <Loading />}</>;
  const acts = actsOn(of, reload);
  const slots = itemsOf(next.data).map((r) => instant(r.at)).filter((n): n is number => n !== null).slice(0, 5);
  const ran = itemsOf(runs.data);
  return (
    <>
      <Head back={back} title={name} note={<><code>{String(of.cron)}</code> {cronWords(of.cron)} · {String(of.timezone ?? 'UTC')}{of.paused && <> <Badge state="paused" /></>}</>}>
        <CopyAs ways={[['qctl', `qctl schedules show ${name}`], ['SQL', `SELECT * FROM queue.schedules WHERE name = '${name.replace(/'/g, "''")}'`]]} />
        {can('schedules.change') && <Button icon="trash" kind="danger" onClick={acts.remove}>Remove</Button>}
        {can('schedules.change') && <Button icon="edit" onClick={acts.edit}>Change</Button>}
        {can('schedules.change') && (of.paused
          ? <Button icon="play" onClick={acts.resume}>Resume</Button>
          : <Button icon="pause" onClick={acts.pause}>Pause</Button>)}
        {can('schedules.run') && <Button icon="bolt" kind="main" onClick={acts.run}>Run now</Button>}
      </Head>
      <Problem of={error} />
      {of.error && <p class="banner warn">{String(of.error)}</p>}
      <div class="job-grid">
        <div>
          <Panel title="Last runs" tight>
            <Problem of={runs.error} />
            {runs.data && !ran.length && <Empty title="It has not run yet" />}
            {ran.length > 0 && <Table label="Last runs" rows={ran} id={(r) => String(r.slot)} columns={[
              { name: 'slot', title: 'Slot', lead: true, render: (r) => <Stamp at={r.slot} /> },
              { name: 'outcome', title: 'Outcome', render: (r) => <Badge state={r.outcome} /> },
              { name: 'late', title: 'Late by', figure: true, render: (r) => <span class={(number(r.lateness_ms) ?? 0) > 60_000 ? 'tone-retrying' : ''}>{duration(r.lateness_ms)}</span> },
              { name: 'job', title: 'Job', figure: true, render: (r) => <JobLink id={r.job_id} /> },
              { name: 'error', title: 'Error', wide: true, render: (r) => <span class="summary error-text">{String(r.error ?? '')}</span> },
            ]} />}
          </Panel>
        </div>
        <div>
          <Panel title="Next slots" side={<span class="dim">{zone.value === 'utc' ? 'UTC' : 'your time'}</span>}>
            <Problem of={next.error} />
            {of.paused && <p class="dim">Paused: none of these fires.</p>}
            <ol class="slots">
              {slots.map((at) => <li><span class="mono">{absolute(at)}</span> <span class="dim">in {duration(Math.max(0, Math.floor((at - now.value) / 1000) * 1000))}</span></li>)}
            </ol>
            {clockChange(slots) && <p class="banner warn">The clocks change between these slots: the distance differs by an hour.</p>}
          </Panel>
          <Panel title="Makes">
            <Facts rows={[
              ['Kind', <code>{String(of.kind)}</code>], ['Queue', of.queue ? <QueueLink name={of.queue} /> : "the kind's own"],
              ['Priority', of.priority], ['Attempts', of.max_attempts],
              ['Missed slots', of.misfire], ['Overlap', of.overlap === null ? null : String(of.overlap)],
              ['Tenant', of.tenant_id && <code>{String(of.tenant_id)}</code>],
              ['Last job', of.last_job_id && <JobLink id={of.last_job_id} />], ['Changed', <Time at={of.updated_at} />],
            ]} />
            <Json of={of.payload} label="Payload" />
          </Panel>
        </div>
      </div>
    </>
  );
}
