import { ComponentChildren } from 'preact';
import { apiUrl, itemsOf, row } from '../core/api';
import { absolute, duration, instant, now, number, percent } from '../core/format';
import { valueOf } from '../core/json';
import { useKeys } from '../core/keys';
import { useResource } from '../core/resource';
import { current, go, link, segment } from '../core/router';
import { can } from '../core/session';
import { cancelJob, cloneJob, resumeQueue, retryEdited, retryJob, runNow, snoozeJob } from '../ui/actions';
import { Json } from '../ui/json_view';
import { Badge, Button, Copy, CopyAs, Empty, Facts, Head, JobLink, Loading, Meter, Panel, Problem, QueueLink, Stamp, Time } from '../ui/parts';
import { Table } from '../ui/table';
import { tagsOf } from './jobs';

const ended = ['completed', 'cancelled', 'dead'];

/// The first true reason why it does not run, and the cure when there is one.
function Why({ of, reload }: { of: row; reload: () => void }) {
  const path = ended.includes(of.state) ? null : `/jobs/${segment(of.id)}/explain`;
  const { data, error } = useResource(path, {}, 5000);
  if (path === null) return null;
  const found: row | null = Array.isArray(data?.items) ? data.items[0] ?? null : data;
  const reason = String(found?.reason ?? '');
  return (
    <Panel title={of.state === 'running' ? 'What it does now' : 'Why it waits'} class="why">
      <Problem of={error} />
      {found && (
        <div class="why-body">
          <strong>{reason}</strong>
          <p>{String(found.detail?.text ?? found.detail ?? '')}</p>
          {found.until && <p class="dim">until <Stamp at={found.until} /> · <Time at={found.until} /></p>}
          {(number(found.ahead) ?? 0) > 0 && (
            <p class="dim">{number(found.ahead)! >= 1000 ? 'Over 1,000' : String(found.ahead)} due jobs are ahead of it</p>
          )}
          <Cure of={of} found={found} reason={reason} reload={reload} />
        </div>
      )}
    </Panel>
  );
}

function Cure({ of, found, reason, reload }: { of: row; found: row; reason: string; reload: () => void }) {
  const cure = valueOf(found.cure);
  const action = String(cure?.action ?? '');
  if ((action === 'resume_queue' || reason === 'queue paused') && can('queues.pause')) {
    return <Button icon="play" onClick={() => resumeQueue(String(of.queue), reload)}>Resume {String(of.queue)}</Button>;
  }
  if ((action === 'run_now' || reason === 'scheduled' || reason === 'retrying') && can('jobs.retry')) {
    return <Button icon="bolt" onClick={() => runNow(of.id, reload)}>Run now</Button>;
  }
  if (/limit|circuit/.test(reason)) {
    return <a href={link('integrations')}>Look at the limits</a>;
  }
  if (reason === 'no live worker' || reason === 'unhandled kind') {
    return <a href={link('workers')}>Look at the workers</a>;
  }
  if (cure?.command) return <p><code>{String(cure.command)}</code> <Copy text={String(cure.command)} /></p>;
  return null;
}

type moment = { at: number | null; name: string; tone: string; note: ComponentChildren; open?: boolean };

/// What happened, from the first to the last: each attempt with its length.
function momentsOf(of: row, attempts: row[]): moment[] {
  const made: moment[] = [{ at: instant(of.created_at), name: 'enqueued', tone: 'ready', note: null }];
  for (const a of [...attempts].reverse()) {
    made.push({
      at: instant(a.started_at ?? a.finished_at),
      name: `attempt ${a.attempt}: ${a.outcome}`,
      tone: outcomeTone(a.outcome),
      note: (
        <>
          {number(a.duration_ms) !== null && duration(a.duration_ms)}
          {a.next_run_at && <> · next <Time at={a.next_run_at} /></>}
        </>
      ),
    });
  }
  if (of.state === 'running') made.push({ at: null, name: 'running now', tone: 'running', note: null, open: true });
  else if (!ended.includes(of.state)) {
    made.push({ at: instant(of.run_at), name: of.state, tone: String(of.state), open: true,
      note: (instant(of.run_at) ?? 0) > now.value ? <>due <Time at={of.run_at} /></> : 'in line' });
  }
  return made;
}

function outcomeTone(outcome: unknown): string {
  const text = String(outcome);
  if (text === 'completed') return 'completed';
  if (['snoozed', 'replayed'].includes(text)) return 'scheduled';
  if (text === 'cancelled') return 'cancelled';
  if (['discarded', 'lost'].includes(text)) return 'dead';
  return 'retrying';
}

function Timeline({ of, attempts }: { of: row; attempts: row[] }) {
  return (
    <ol class="timeline">
      {momentsOf(of, attempts).map((m) => (
        <li class={m.open ? 'open' : ''}>
          <i class={`dot ${m.tone}`} aria-hidden="true" />
          <span class="timeline-name">{m.name}</span>
          <span class="dim">{m.note}</span>
          <span class="mono dim timeline-at">{m.at !== null ? absolute(m.at) : ''}</span>
        </li>
      ))}
    </ol>
  );
}

function Attempts({ id, of, every }: { id: string; of: row; every: number }) {
  const { data, error } = useResource(`/jobs/${segment(id)}/attempts`, {}, every);
  const rows = itemsOf(data).slice().sort((a, b) => (number(b.lease) ?? 0) - (number(a.lease) ?? 0));
  return (
    <>
      <Panel title="Timeline"><Timeline of={of} attempts={rows} /></Panel>
      <Panel title="Attempts" side={<span class="dim">newest first</span>}>
        <Problem of={error} />
        {data && !rows.length && <Empty title="Not tried yet" />}
        <ol class="attempts">
          {rows.map((a) => (
            <li>
              <div class="attempt-head">
                <b>{String(a.attempt)}</b>
                <span class={`badge ${outcomeTone(a.outcome)}`}><i class="dot" aria-hidden="true" />{String(a.outcome)}</span>
                <span>{duration(a.duration_ms)}</span>
                <span class="dim"><Stamp at={a.started_at ?? a.finished_at} /></span>
                {a.worker && <span class="dim">on {String(a.worker)}</span>}
              </div>
              {a.error && <pre class="error">{String(a.error)}</pre>}
              {a.output && <Json of={a.output} label={`Output of attempt ${a.attempt}`} />}
            </li>
          ))}
        </ol>
      </Panel>
    </>
  );
}

function Logs({ id, every }: { id: string; every: number }) {
  const { data, error } = useResource(`/jobs/${segment(id)}/logs`, {}, every);
  const rows = itemsOf(data);
  if (data && !rows.length && !error) return null;
  return (
    <Panel title="Log">
      <Problem of={error} />
      <ol class="log" tabIndex={0} aria-label="Log lines">
        {rows.map((l) => (
          <li class={`log-${l.level}`}>
            <span class="dim mono">{absolute(l.at).slice(11)}</span>
            <span class="log-level">{String(l.level)}</span>
            <span class="dim">#{String(l.attempt)}</span>
            <span class="log-text">{String(l.message)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Effects({ id }: { id: string }) {
  const { data } = useResource(`/jobs/${segment(id)}/effects`);
  const rows = itemsOf(data);
  if (!rows.length) return null;
  return (
    <Panel title="Effects on the outside world" tight>
      <Table label="Effects" rows={rows} id={(r) => String(r.step)} columns={[
        { name: 'step', title: 'Step', lead: true, render: (r) => <code>{String(r.step)}</code> },
        { name: 'state', title: 'State', render: (r) => <Badge state={r.state} /> },
        { name: 'key', title: 'Key', wide: true, render: (r) => <code>{String(r.key ?? '')}</code> },
        { name: 'begun', title: 'Begun', figure: true, render: (r) => <Time at={r.begun_at} /> },
        { name: 'ended', title: 'Ended', figure: true, render: (r) => <Time at={r.ended_at} /> },
      ]} />
    </Panel>
  );
}

function Lineage({ id }: { id: string }) {
  const { data } = useResource(`/jobs/${segment(id)}/lineage`);
  const rows = itemsOf(data);
  if (rows.length < 2) return null;
  return (
    <Panel title="Where it comes from and what followed" tight side={<a href={link(`workflows/${segment(id)}`)}>Draw</a>}>
      <ul class="lines">
        {rows.map((r) => (
          <li><a href={link(`jobs/${segment(r.id ?? r.job_id)}`)}>
            <span class="mono">{String(r.id ?? r.job_id)}</span>
            <span class="line-main">{String(r.relation ?? r.link ?? '')} <code>{String(r.kind ?? '')}</code></span>
            {r.state && <Badge state={r.state} />}
          </a></li>
        ))}
      </ul>
    </Panel>
  );
}

function waysOf(id: string): [string, string][] {
  return [
    ['qctl', `qctl jobs show ${id} --attempts`],
    ['explain', `qctl jobs explain ${id}`],
    ['SQL', `SELECT * FROM queue.jobs WHERE id = ${id}`],
    ['curl', `curl -H "Authorization: Bearer $TOKEN" '${new URL(apiUrl(`/jobs/${id}`), location.href).href}'`],
  ];
}

const references: [string, string][] = [
  ['payment_intent', 'Stripe payment'], ['stripe_id', 'Stripe'], ['charge', 'Stripe charge'],
  ['signature', 'Solana signature'], ['mint', 'Mint address'], ['message_id', 'Message-ID'],
  ['traceparent', 'Trace'], ['idempotency_key', 'Idempotency key'], ['ordering_key', 'Ordering key'],
  ['concurrency_key', 'Concurrency key'], ['limit_key', 'Limit key'], ['replayed_from', 'Replayed from'],
  ['request_id', 'Request'],
];

/// Names by which other systems know this job, from its metadata and its output.
function External({ of }: { of: row }) {
  const meta = valueOf(of.meta) ?? {};
  const output = valueOf(of.output) ?? {};
  const found: [string, string][] = [];
  for (const [name, title] of references) {
    const value = of[name] ?? meta?.[name] ?? output?.[name];
    if (typeof value === 'string' || typeof value === 'number') found.push([title, String(value)]);
  }
  if (!found.length) return null;
  return (
    <Facts rows={found.map(([title, value]) => [title, <><code>{value}</code> <Copy text={value} /></>])} />
  );
}

function Neighbours({ id }: { id: string }) {
  const filter = current.value.get('in');
  const has = current.value.query.has('in');
  const { data } = useResource(has ? '/jobs' : null, { filter, limit: 200 });
  const ids = itemsOf(data).map((r) => String(r.id));
  const at = ids.indexOf(id);
  const to = (n: number) => ids[n] !== undefined && at >= 0 ? link(`jobs/${ids[n]}`, { in: filter }) : '';
  const [before, after] = [to(at - 1), to(at + 1)];
  useKeys(
    [
      ...(before ? [{ keys: '[', what: 'Newer job of the filter', group: 'This screen', run: () => go(before) }] : []),
      ...(after ? [{ keys: ']', what: 'Older job of the filter', group: 'This screen', run: () => go(after) }] : []),
    ],
    [before, after],
  );
  if (at < 0) return null;
  return (
    <span class="neighbours">
      {before ? <a class="button plain" href={before} title="[">Newer</a> : null}
      {after ? <a class="button plain" href={after} title="]">Older</a> : null}
    </span>
  );
}

export function Job({ id }: { id: string }) {
  const moving = 3000;
  const { data: of, error, reload } = useResource<row>(`/jobs/${segment(id)}`, {}, moving);
  const state = String(of?.state ?? '');
  const over = ended.includes(state);
  const mayRetry = can('jobs.retry') && (over || state === 'retrying') && state !== 'completed';
  const mayCancel = can('jobs.cancel') && of !== null && !over;
  useKeys(
    [
      ...(mayRetry ? [{ keys: 'r', what: 'Retry this job', group: 'This screen', run: () => retryJob(id, reload) }] : []),
      ...(mayCancel ? [{ keys: 'c', what: 'Cancel this job', group: 'This screen', run: () => cancelJob(id, state, reload) }] : []),
    ],
    [mayRetry, mayCancel, state],
  );
  const filter = current.value.get('in');
  const back: [string, string] = [link('jobs', { filter }), 'Jobs'];
  if (!of) {
    return (
      <>
        <Head title={`Job ${id}`} back={back} />
        {error ? (error.status === 404
          ? <Empty title={`There is no job ${id}`}>It was never made, was deleted by retention, or belongs to somebody else.</Empty>
          : <Problem of={error} retry={reload} />) : <Loading />}
      </>
    );
  }
  const fraction = number(of.progress ?? of.fraction);
  const every = over ? 0 : moving;
  return (
    <>
      <Head back={back} title={<>Job <span class="mono">{String(of.id)}</span> <Badge state={state} /></>}
        note={<><code>{String(of.kind)}</code> in <QueueLink name={of.queue} />{tagsOf(of).map((t) => <span class="tag">{t}</span>)}</>}>
        <Neighbours id={id} />
        <CopyAs ways={waysOf(id)} />
        {can('jobs.retry') && <Button icon="copy" onClick={() => cloneJob(of)}>Clone</Button>}
        {can('jobs.retry') && ['ready', 'scheduled', 'retrying'].includes(state) &&
          <Button icon="schedules" onClick={() => snoozeJob(id, reload)}>Put off</Button>}
        {can('jobs.retry') && ['scheduled', 'retrying'].includes(state) &&
          <Button icon="bolt" onClick={() => runNow(id, reload)}>Run now</Button>}
        {mayRetry && state === 'dead' && <Button icon="edit" onClick={() => retryEdited(of, reload)}>Retry edited</Button>}
        {mayCancel && <Button icon="close" kind="danger" onClick={() => cancelJob(id, state, reload)}>Cancel</Button>}
        {mayRetry && <Button icon="replay" kind="main" onClick={() => retryJob(id, reload)}>Retry</Button>}
      </Head>
      <Problem of={error} />
      <div class="job-grid">
        <div>
          <Why of={of} reload={reload} />
          {of.last_error && over && state !== 'completed' && (
            <Panel title="Last error" class="last-error"><pre class="error">{String(of.last_error)}</pre></Panel>
          )}
          {fraction !== null && (
            <Panel title="Progress">
              <div class="progress-line">
                <Meter value={fraction} of={1} label={percent(fraction * 100)} />
                <b>{percent(fraction * 100)}</b>
              </div>
              {of.progress_message && <p>{String(of.progress_message)}</p>}
            </Panel>
          )}
          <Attempts id={id} of={of} every={every} />
          <Logs id={id} every={every} />
          <Effects id={id} />
        </div>
        <div>
          <Panel title="Facts">
            <Facts rows={[
              ['Attempt', `${of.attempt ?? '–'} of ${of.max_attempts ?? '–'}`],
              ['Priority', of.priority],
              ['Made', <Stamp at={of.created_at} />],
              ['Due', <Stamp at={of.run_at} />],
              ['Finished', of.finished_at && <Stamp at={of.finished_at} />],
              ['Batch', of.batch_id && <a href={link(`batches/${segment(of.batch_id)}`)}>{String(of.batch_id)}</a>],
              ['Tenant', of.tenant_id && <code>{String(of.tenant_id)}</code>],
              ['From', of.predecessor_id && <JobLink id={of.predecessor_id} />],
              ['Fingerprint', of.fingerprint && <a class="mono" href={link('failures', { group: String(of.fingerprint) })}>{String(of.fingerprint)}</a>],
            ]} />
            <External of={of} />
          </Panel>
          <Panel title="Payload"><Json of={of.payload} label="Payload" /></Panel>
          {of.output && <Panel title="Output"><Json of={of.output} label="Output" /></Panel>}
          {of.meta && String(of.meta) !== '{}' && <Panel title="Metadata"><Json of={of.meta} label="Metadata" /></Panel>}
          <Lineage id={id} />
        </div>
      </div>
    </>
  );
}
