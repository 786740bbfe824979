import { useEffect, useState } from 'preact/hooks';
import { apiUrl, call, freshKey, row } from '../core/api';
import { count, estimate, number } from '../core/format';
import { useKeys } from '../core/keys';
import { overview } from '../core/live';
import { queuesOf, summary } from '../core/model';
import { terms, valueOfTerm, withTerm } from '../core/filter';
import { useList, useResource } from '../core/resource';
import { current, link, segment, setQuery } from '../core/router';
import { can } from '../core/session';
import { hiddenColumns, saveView } from '../core/settings';
import { valueOf } from '../core/json';
import { bulk, each, enqueueJob } from '../ui/actions';
import { ask } from '../ui/dialog';
import { FilterBar } from '../ui/filter_bar';
import { Badge, Button, CopyAs, Empty, Head, JobLink, Loading, Problem, QueueLink, Time } from '../ui/parts';
import { Table, column } from '../ui/table';

export function tagsOf(r: row): string[] {
  const found = valueOf(r.tags);
  return Array.isArray(found) ? found.map(String) : [];
}

function When({ of }: { of: row }) {
  if (of.finished_at) return <Time at={of.finished_at} />;
  if (['scheduled', 'retrying'].includes(of.state)) return <Time at={of.run_at} />;
  return <Time at={of.created_at} />;
}

export const jobColumns: column[] = [
  { name: 'id', title: 'Job', lead: true, render: (r) => <JobLink id={r.id} /> },
  { name: 'state', title: 'State', render: (r) => <Badge state={r.state} /> },
  { name: 'kind', title: 'Kind', render: (r) => <code class="kind">{String(r.kind)}</code> },
  { name: 'queue', title: 'Queue', render: (r) => <QueueLink name={r.queue} /> },
  { name: 'summary', title: 'About', wide: true, render: (r) => (
    <span class="summary" title={String(r.last_error ?? r.summary ?? '')}>
      {tagsOf(r).map((tag) => <span class="tag">{tag}</span>)}
      <span class={r.last_error ? 'error-text' : ''}>{summary(r)}</span>
    </span>
  ) },
  { name: 'attempt', title: 'Attempt', figure: true, render: (r) => (
    <span class={number(r.attempt) && r.attempt === r.max_attempts ? 'tone-retrying' : ''}>
      {r.attempt ?? '–'}<span class="dim"> / {r.max_attempts ?? '–'}</span>
    </span>
  ) },
  { name: 'priority', title: 'Priority', figure: true, minor: true, render: (r) => r.priority },
  { name: 'when', title: 'When', figure: true, render: (r) => <When of={r} /> },
];

/// Those that somebody may want, beside those that everybody sees.
const moreColumns: column[] = [
  { name: 'tenant', title: 'Tenant', render: (r) => r.tenant_id ? <code>{String(r.tenant_id).slice(0, 8)}</code> : <span class="dim">–</span> },
  { name: 'created', title: 'Made', figure: true, render: (r) => <Time at={r.created_at} /> },
  { name: 'finished', title: 'Finished', figure: true, render: (r) => <Time at={r.finished_at} /> },
];
const allColumns = [...jobColumns, ...moreColumns];

function ColumnChoice() {
  const hidden = hiddenColumns.value;
  return (
    <details class="menu" onFocusOut={(e) => {
      if (!(e.currentTarget as Element).contains(e.relatedTarget as Node)) e.currentTarget.open = false;
    }}>
      <summary class="button plain">Columns</summary>
      <div class="menu-list">
        {allColumns.slice(1).map((c) => (
          <label class="menu-choice">
            <input type="checkbox" checked={!hidden.includes(c.name)} onChange={(e) => {
              const rest = hidden.filter((name) => name && name !== c.name);
              hiddenColumns.value = e.currentTarget.checked ? rest : [...rest, c.name];
            }} />
            {c.title}
          </label>
        ))}
      </div>
    </details>
  );
}

const tabs: [string, string][] = [
  ['', 'All'], ['scheduled', 'Scheduled'], ['ready', 'Ready'], ['running', 'Running'],
  ['retrying', 'Retrying'], ['completed', 'Completed'], ['cancelled', 'Cancelled'], ['dead', 'Dead'],
];

/// Counts of the state tabs, as the overview tells them: of one queue or of all. A filter that says
/// more has no such counts.
function countsOf(filter: string): Record<string, { n: number; exact: boolean }> {
  const found: Record<string, { n: number; exact: boolean }> = {};
  if (terms(filter).some((t) => !['state', 'queue'].includes(t.name) || t.negated)) return found;
  const queue = valueOfTerm(filter, 'queue');
  const queues = queuesOf(overview.value).filter((q) => !queue || q.queue === queue);
  for (const state of ['scheduled', 'ready', 'running', 'retrying', 'dead']) {
    const known = queues.filter((q) => number(q[state]) !== null);
    if (!known.length) continue;
    found[state] = {
      n: known.reduce((all, q) => all + number(q[state])!, 0),
      exact: known.every((q) => q.count_exact !== false),
    };
  }
  return found;
}

function StateTabs({ filter }: { filter: string }) {
  const chosen = valueOfTerm(filter, 'state');
  const counts = countsOf(filter);
  return (
    <nav class="tabs" aria-label="States">
      {tabs.map(([state, title]) => {
        const next = withTerm(filter, 'state', state);
        const n = counts[state];
        return (
          <a href={link('jobs', { filter: next })} aria-current={chosen === state ? 'page' : undefined}>
            {title}{n && <span class="tab-count">{estimate(n.n, n.exact)}</span>}
          </a>
        );
      })}
    </nav>
  );
}

function shell(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

function waysOf(filter: string): [string, string][] {
  const url = new URL(apiUrl('/jobs', { filter }), location.href);
  return [
    ['qctl', `qctl jobs list${filter ? ' ' + shell(filter) : ''}`],
    ['SQL', sqlOf(filter)],
    ['curl', `curl -H "Authorization: Bearer $TOKEN" ${shell(url.href)}`],
    ['link', location.href],
  ];
}

const literal = (text: string): string => `'${text.replace(/'/g, "''")}'`;

/// What of the filter SQL can say in one line: states, queue and kind.
function sqlOf(filter: string): string {
  const where: string[] = [];
  const states = valueOfTerm(filter, 'state');
  const queue = valueOfTerm(filter, 'queue');
  const kind = valueOfTerm(filter, 'kind');
  const id = valueOfTerm(filter, 'id');
  if (/^\d+$/.test(id)) where.push(`id = ${id}`);
  if (states) where.push(`state IN (${states.split(',').map(literal).join(', ')})`);
  if (queue) where.push(`queue IN (${queue.split(',').map(literal).join(', ')})`);
  if (kind.endsWith('*')) where.push(`starts_with(kind, ${literal(kind.slice(0, -1))})`);
  else if (kind) where.push(`kind = ${literal(kind)}`);
  return `SELECT * FROM queue.jobs${where.length ? ` WHERE ${where.join(' AND ')}` : ''} ORDER BY id DESC LIMIT 50`;
}

function askView(filter: string): void {
  ask({
    title: 'Save this view',
    consequence: filter ? <>It shows <code>{filter}</code> and is kept in this browser.</> : 'It is kept in this browser.',
    fields: [{ name: 'name', label: 'Name', required: true }],
    action: 'Save',
    run: async (values) => saveView({ name: values.name!.trim(), path: current.value.path, query: location.search }),
  });
}

/// "jobs/42?in=..." keeps the filter, so that the job knows its neighbours.
export function jobHref(r: row, filter: string): string {
  return link(`jobs/${segment(r.id)}`, { in: filter });
}

export function Jobs() {
  const filter = current.value.get('filter');
  const list = useList('/jobs', { filter, limit: 100 }, (r) => String(r.id), 5000);
  const counted = useResource<row>(filter ? '/jobs/count' : null, { filter }, 15_000);
  const [chosen, setChosen] = useState(new Set<string>());
  useEffect(() => setChosen(new Set<string>()), [filter]);
  const ids = [...chosen];
  const retry = () => {
    void each(ids, 'Retried', (id) => call('POST', `/jobs/${segment(id)}/retry`, { key: freshKey() }))
      .then(list.reload);
    setChosen(new Set());
  };
  const cancel = () => ask({
    title: `Cancel ${ids.length} ${ids.length === 1 ? 'job' : 'jobs'}?`,
    consequence: 'They will not run. Running ones are asked to stop.',
    facts: [['Jobs', <code>{ids.slice(0, 12).join(', ')}{ids.length > 12 ? ', …' : ''}</code>]],
    confirm: ids.length > 100 ? String(ids.length) : undefined,
    action: `Cancel ${ids.length}`,
    danger: true,
    run: async () => {
      await each(ids, 'Cancelled', (id) => call('DELETE', `/jobs/${segment(id)}`, { key: freshKey() }));
      setChosen(new Set());
      list.reload();
    },
  });
  const mayRetry = can('jobs.retry');
  const mayCancel = can('jobs.cancel');
  const acts = mayRetry || mayCancel;
  useKeys(
    [
      ...(mayRetry ? [{ keys: 'r', what: 'Retry the selected', group: 'This screen', run: () => ids.length && retry() }] : []),
      ...(mayCancel ? [{ keys: 'c', what: 'Cancel the selected', group: 'This screen', run: () => ids.length && cancel() }] : []),
      { keys: 'v', what: 'Save this view', group: 'This screen', run: () => askView(filter) },
    ],
    [chosen, filter, mayRetry, mayCancel],
  );
  return (
    <>
      <Head title="Jobs" note={filter && counted.data
        ? `${counted.data.count_exact === false ? 'At least ' : ''}${count(counted.data.count)} match` : undefined}>
        <CopyAs ways={waysOf(filter)} />
        <ColumnChoice />
        <Button icon="star" onClick={() => askView(filter)}>Save view</Button>
        {can('jobs.enqueue') && <Button kind="main" onClick={() => enqueueJob()}>Enqueue</Button>}
      </Head>
      <FilterBar label="Filter of jobs" value={filter} change={(text) => setQuery({ filter: text })} />
      <StateTabs filter={filter} />
      <Problem of={list.error} retry={list.reload} />
      {list.answer?.capped && (
        <p class="banner">The search ended after 100,000 jobs that did not match. Narrow it, or go on below.</p>
      )}
      {acts && list.rows !== null && (
        <div class="bulk" role="toolbar" aria-label="Actions on jobs">
          {ids.length > 0 ? (
            <>
              <b>{ids.length} selected</b>
              {mayRetry && <Button icon="replay" onClick={retry}>Retry</Button>}
              {mayCancel && <Button icon="close" onClick={cancel}>Cancel</Button>}
              <Button kind="quiet" onClick={() => setChosen(new Set())}>Clear</Button>
            </>
          ) : (
            <span class="dim">{filter ? 'Select rows (x), or take everything that matches:' : 'Select rows (x), or filter to take everything that matches.'}</span>
          )}
          {can('operations.run') && ids.length === 0 && filter && (
            <>
              {mayRetry && <Button kind="quiet" onClick={() => void bulk('retry', filter)}>Retry all</Button>}
              {mayCancel && <Button kind="quiet" onClick={() => void bulk('cancel', filter)}>Cancel all</Button>}
            </>
          )}
        </div>
      )}
      {list.fresh > 0 && (
        <button type="button" class="fresh" onClick={list.showNew}>{list.fresh} new: show</button>
      )}
      {list.rows === null && !list.error && <Loading />}
      {list.rows !== null && (list.rows.length ? (
        <Table label="Jobs" columns={allColumns.filter((c) => !hiddenColumns.value.includes(c.name))} rows={list.rows} id={(r) => String(r.id)}
          open={(r) => jobHref(r, filter)} select={acts ? { chosen, set: setChosen } : undefined} keys />
      ) : (
        <Empty title={filter ? 'No job matches' : 'No job yet'}>
          {filter ? 'Take out a term, or look at all states.' : <>The first: <code>qctl enqueue debug.echo</code></>}
        </Empty>
      ))}
      <More list={list} />
    </>
  );
}

export function More({ list }: { list: { more: (() => void) | null; loading: boolean; rows: row[] | null } }) {
  if (!list.rows?.length || (!list.more && list.rows.length < 50)) return null;
  return (
    <div class="more">
      {list.more
        ? <Button onClick={list.more} disabled={list.loading}>{list.loading ? 'Loading' : 'Older'}</Button>
        : <span class="dim">{list.rows.length >= 1000 ? 'The newest 1,000 are shown: narrow the filter.' : 'That is all.'}</span>}
    </div>
  );
}

