import { useState } from 'preact/hooks';
import { apiUrl, call, freshKey, getLines, itemsOf, row } from '../core/api';
import { number, plural, short } from '../core/format';
import { withTerm } from '../core/filter';
import { valueOf } from '../core/json';
import { firstLine } from '../core/model';
import { useList, useResource } from '../core/resource';
import { current, link, segment, setQuery } from '../core/router';
import { can } from '../core/session';
import { act, bulk } from '../ui/actions';
import { ask } from '../ui/dialog';
import { FilterBar } from '../ui/filter_bar';
import { Badge, Button, Copy, CopyAs, Empty, Facts, Head, JobLink, Loading, Problem, QueueLink, Spark, Tabs, Time } from '../ui/parts';
import { Table } from '../ui/table';
import { toast, toastProblem } from '../ui/toast';
import { More } from './jobs';

function bucketsOf(r: row): number[] {
  const found = valueOf(r.series);
  return Array.isArray(found) ? found.map((n) => number(n) ?? 0) : [];
}

function names(value: unknown, one: unknown): string[] {
  const found = valueOf(value);
  if (Array.isArray(found)) return found.map(String);
  return one ? [String(one)] : [];
}

/// More than a browser should hold goes through qctl.
const mostExported = 10_000;

/// As a file, through the same door as everything else: a link cannot carry the token.
async function exportLines(filter: string): Promise<void> {
  try {
    let text = '';
    let lines = 0;
    let cursor = '';
    do {
      const page = await getLines('/dead-letters/export', { filter, limit: 500, cursor });
      text += page.text;
      lines += page.text.split('\n').filter(Boolean).length;
      cursor = page.next;
    } while (cursor && lines < mostExported);
    const url = URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' }));
    const anchor = document.createElement('a');
    anchor.href = url;
    anchor.download = 'dead-letters.jsonl';
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    toast(`${plural(lines, 'dead letter')} exported`, cursor
      ? { tone: 'retrying', detail: 'There are more: narrow the filter, or use qctl dlq export.' } : {});
  } catch (failure) {
    toastProblem('Export: refused', failure);
  }
}

function GroupActions({ of, filter, reload }: { of: row; filter: string; reload: () => void }) {
  const mine = withTerm(filter, 'fingerprint', String(of.fingerprint));
  const annotate = (body: row, done: string) =>
    void act(done, () => call('PUT', `/dead-letters/groups/${segment(of.fingerprint)}`, { body }), reload);
  const note = () => ask({
    title: 'Note on this group',
    fields: [{ name: 'note', label: 'Note', kind: 'area', value: String(of.note ?? ''), hint: 'Who looks after it, and where it is discussed.' }],
    action: 'Save',
    run: async (values) => {
      await call('PUT', `/dead-letters/groups/${segment(of.fingerprint)}`, { body: { note: values.note, muted: !!of.muted } });
      reload();
    },
  });
  return (
    <>
      {can('failures.annotate') && <Button kind="quiet" onClick={note}>Note</Button>}
      {can('failures.annotate') && (
        <Button kind="quiet" onClick={() => annotate({ note: of.note ?? null, muted: !of.muted }, of.muted ? 'No longer muted' : 'Muted')}>
          {of.muted ? 'Unmute' : 'Mute'}
        </Button>
      )}
      {can('operations.run') && <Button icon="trash" onClick={() => void bulk('discard', mine, 'dead letters')}>Discard</Button>}
      {can('operations.run') && <Button icon="replay" kind="main" onClick={() => void bulk('replay', mine, 'dead letters', '50')}>Replay</Button>}
    </>
  );
}

function Group({ of, filter, reload }: { of: row; filter: string; reload: () => void }) {
  const [open, setOpen] = useState(current.value.get('group') === String(of.fingerprint));
  const buckets = bucketsOf(of);
  const queues = names(of.queues, of.queue);
  const tenants = names(of.tenants, null);
  const id = `group-${of.fingerprint}`;
  return (
    <li class={`group ${of.muted ? 'muted' : ''}`}>
      <div class="group-head">
        <button type="button" class="group-open" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          <b class="group-count">{of.count_exact === false ? `>${short(of.count)}` : short(of.count)}</b>
          <span class="group-main">
            <span class="group-error">{firstLine(of.error) || String(of.reason ?? 'no error was recorded')}</span>
            <span class="group-where">
              <code>{String(of.kind)}</code>
              {of.reason && <span>{String(of.reason)}</span>}
              {of.is_new && <span class="flag">new since the last deploy</span>}
              {of.muted && <span class="flag quiet">muted</span>}
              {of.note && <span class="flag quiet">note</span>}
            </span>
          </span>
        </button>
        {buckets.length > 1 && <Spark values={buckets} tone="dead" label={`Deaths of the last 24 hours: ${buckets.reduce((a, b) => a + b, 0)}`} />}
        <span class="group-when"><span>last <Time at={of.last_died_at} /></span><span class="dim">first <Time at={of.first_died_at} /></span></span>
      </div>
      {open && (
        <div class="group-body" id={id}>
          <pre class="error">{String(of.error ?? '')}</pre>
          {of.note && <p class="note-text">{String(of.note)}</p>}
          <Facts rows={[
            ['Fingerprint', <><code>{String(of.fingerprint)}</code> <Copy text={String(of.fingerprint)} /></>],
            ['Queues', queues.map((q) => <><QueueLink name={q} /> </>)],
            ['Tenants', tenants.length ? plural(tenants.length, 'tenant') : ''],
            ['Sample', <JobLink id={of.sample_id} />],
          ]} />
          <div class="actions">
            <a class="button plain" href={link('failures', { view: 'letters', filter: withTerm('', 'fingerprint', String(of.fingerprint)) })}>Show all</a>
            <GroupActions of={of} filter={filter} reload={reload} />
          </div>
        </div>
      )}
    </li>
  );
}

function Groups({ filter }: { filter: string }) {
  const { data, error, reload } = useResource('/dead-letters/groups', { filter }, 5000);
  const wanted = current.value.get('group');
  const groups = itemsOf(data)
    .slice()
    .sort((a, b) => Number(!!a.muted) - Number(!!b.muted) ||
      Number(b.fingerprint === wanted) - Number(a.fingerprint === wanted));
  if (!data) return error ? <Problem of={error} retry={reload} /> : <Loading />;
  return (
    <>
      <Problem of={error} retry={reload} />
      {!groups.length && <Empty title={filter ? 'No dead letter matches' : 'Nothing is dead'}>
        Jobs that were given up come here, grouped by what killed them.
      </Empty>}
      <ul class="groups">
        {groups.map((g) => <Group key={`${g.fingerprint}-${g.kind}`} of={g} filter={filter} reload={reload} />)}
      </ul>
    </>
  );
}

function Letters({ filter }: { filter: string }) {
  const list = useList('/dead-letters', { filter, limit: 100 }, (r) => String(r.id), 5000);
  const replay = (id: unknown) => void act(`Job ${id} stands in line`,
    () => call('POST', `/dead-letters/${segment(id)}/replay`, { key: freshKey() }), list.reload);
  const discard = (id: unknown) => ask({
    title: `Discard dead letter ${id}?`,
    consequence: 'It is deleted with its attempts. This cannot be undone.',
    action: 'Discard', danger: true,
    run: async () => {
      await call('POST', `/dead-letters/${segment(id)}/discard`, { key: freshKey() });
      toast(`Dead letter ${id} is gone`);
      list.reload();
    },
  });
  return (
    <>
      <Problem of={list.error} retry={list.reload} />
      {list.fresh > 0 && <button type="button" class="fresh" onClick={list.showNew}>{list.fresh} new: show</button>}
      {list.rows === null && !list.error && <Loading />}
      {list.rows !== null && (list.rows.length ? (
        <Table label="Dead letters" rows={list.rows} id={(r) => String(r.id)} open={(r) => link(`jobs/${segment(r.id)}`)}
          columns={[
            { name: 'id', title: 'Job', lead: true, render: (r) => <JobLink id={r.id} /> },
            { name: 'reason', title: 'Reason', render: (r) => <Badge state="dead">{String(r.reason)}</Badge> },
            { name: 'kind', title: 'Kind', render: (r) => <code class="kind">{String(r.kind)}</code> },
            { name: 'queue', title: 'Queue', render: (r) => <QueueLink name={r.queue} /> },
            { name: 'error', title: 'Error', wide: true, render: (r) => <span class="summary error-text" title={String(r.error ?? '')}>{firstLine(r.error)}</span> },
            { name: 'attempt', title: 'Attempts', figure: true, minor: true, render: (r) => r.attempt },
            { name: 'died', title: 'Died', figure: true, render: (r) => <Time at={r.died_at} /> },
            ...(can('dead_letters.replay') || can('dead_letters.discard') ? [{
              name: 'acts', title: 'Actions', figure: true, render: (r: row) => (
                <span class="row-acts">
                  {can('dead_letters.replay') && <Button kind="quiet" icon="replay" label={`Replay ${r.id}`} onClick={() => replay(r.id)} />}
                  {can('dead_letters.discard') && <Button kind="quiet" icon="trash" label={`Discard ${r.id}`} onClick={() => discard(r.id)} />}
                </span>
              ),
            }] : []),
          ]} />
      ) : <Empty title="No dead letter matches" />)}
      <More list={list} />
    </>
  );
}

export function Failures() {
  const filter = current.value.get('filter');
  const letters = current.value.get('view') === 'letters';
  const url = new URL(apiUrl('/dead-letters/groups', { filter }), location.href).href;
  return (
    <>
      <Head title="Failures" note="Jobs given up, kept with every attempt.">
        <CopyAs ways={[['qctl', letters ? `qctl dlq list '${filter}'` : 'qctl dlq groups'],
          ['SQL', 'SELECT * FROM queue.dead_letter ORDER BY job_id DESC LIMIT 50'],
          ['curl', `curl -H "Authorization: Bearer $TOKEN" '${url}'`]]} />
        <Button onClick={() => void exportLines(filter)}>Export</Button>
        {can('operations.run') && <Button icon="replay" onClick={() => void bulk('replay', filter || 'state:dead', 'dead letters', '50')}>Replay all</Button>}
      </Head>
      <FilterBar label="Filter of dead letters" value={filter} change={(text) => setQuery({ filter: text })} />
      <Tabs label="View" name="view" tabs={[['groups', 'Groups'], ['letters', 'Dead letters']]} />
      {letters ? <Letters filter={filter} /> : <Groups filter={filter} />}
    </>
  );
}

