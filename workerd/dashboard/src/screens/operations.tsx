import { itemsOf, row } from '../core/api';
import { count, duration, instant, now, number } from '../core/format';
import { beats, operations } from '../core/live';
import { useList, useResource } from '../core/resource';
import { link, segment } from '../core/router';
import { can } from '../core/session';
import { cancelOperation } from '../ui/actions';
import { Badge, Button, CopyAs, Empty, Facts, Head, Loading, Panel, Problem, Stack, Stamp, Time } from '../ui/parts';
import { Table } from '../ui/table';
import { More } from './jobs';

const going = (r: row): boolean => ['pending', 'running', 'cancelling'].includes(String(r.state));

/// What the stream has told since is newer than what was fetched.
function latest(r: row): row {
  const told = operations.value[String(r.id)];
  return told ? { ...r, ...told } : r;
}

function Progress({ of }: { of: row }) {
  const done = number(of.done) ?? 0;
  const failed = number(of.failed) ?? 0;
  const skipped = number(of.skipped) ?? 0;
  const all = Math.max(number(of.matched) ?? 0, done + failed + skipped);
  return (
    <span class="share">
      <Stack label={`${count(done)} done, ${count(failed)} failed of ${count(all)}`}
        parts={[['completed', done], ['dead', failed], ['cancelled', skipped], ['rest', Math.max(0, all - done - failed - skipped)]]} />
      <span class="mono">{count(done + failed + skipped)} / {of.matched_exact === false ? '~' : ''}{count(of.matched)}</span>
    </span>
  );
}

function Stop({ of, reload }: { of: row; reload: () => void }) {
  if (!going(of) || of.state === 'cancelling' || !can('operations.run')) return null;
  return <Button onClick={() => cancelOperation(of.id, reload)}>{of.state === 'pending' ? 'Undo' : 'Stop'}</Button>;
}

export function Operations() {
  const list = useList('/operations', { limit: 50 }, (r) => String(r.id), 3000);
  return (
    <>
      <Head title="Operations" note="Bulk work by filter, in the background.">
        <CopyAs ways={[['qctl', 'qctl ops list'], ['SQL', 'SELECT * FROM queue.operation ORDER BY id DESC LIMIT 50']]} />
      </Head>
      <Problem of={list.error} retry={list.reload} />
      {list.fresh > 0 && <button type="button" class="fresh" onClick={list.showNew}>{list.fresh} new: show</button>}
      {list.rows === null && !list.error && <Loading />}
      {list.rows !== null && (list.rows.length ? (
        <Table label="Operations" rows={list.rows.map(latest)} id={(r) => String(r.id)} open={(r) => link(`operations/${segment(r.id)}`)} columns={[
          { name: 'id', title: 'Operation', lead: true, render: (r) => <a class="mono" href={link(`operations/${segment(r.id)}`)}>{String(r.id)}</a> },
          { name: 'action', title: 'Action', render: (r) => <b>{String(r.action)}</b> },
          { name: 'state', title: 'State', render: (r) => <Badge state={r.state} /> },
          { name: 'progress', title: 'Progress', render: (r) => <Progress of={r} /> },
          { name: 'filter', title: 'Filter', wide: true, render: (r) => <code class="summary">{String(r.filter ?? '') || 'all'}</code> },
          { name: 'actor', title: 'By', render: (r) => String(r.actor ?? '') },
          { name: 'made', title: 'When', figure: true, render: (r) => <Time at={r.created_at} /> },
          { name: 'acts', title: 'Actions', figure: true, render: (r) => <Stop of={r} reload={list.reload} /> },
        ]} />
      ) : <Empty title="None yet">Bulk actions of Jobs and Failures come here.</Empty>)}
      <More list={list} />
    </>
  );
}

export function Operation({ id }: { id: string }) {
  beats.operation.value;
  const { data, error, reload } = useResource<row>(`/operations/${segment(id)}`, {}, 2000);
  const back: [string, string] = [link('operations'), 'Operations'];
  const found: row | null = data ? (Array.isArray(data.items) ? itemsOf(data)[0] ?? null : data) : null;
  if (!found) return <><Head title={`Operation ${id}`} back={back} />{error ? <Problem of={error} retry={reload} /> : <Loading />}</>;
  const of = latest(found);
  const starts = instant(of.starts_at);
  const began = instant(of.started_at ?? of.starts_at);
  const ended = instant(of.finished_at);
  return (
    <>
      <Head back={back} title={<>{String(of.action)} <Badge state={of.state} /></>} note={<code>{String(of.filter ?? '') || 'all'}</code>}>
        <CopyAs ways={[['qctl', `qctl ops show ${id} -f`]]} />
        <Stop of={of} reload={reload} />
      </Head>
      <Problem of={error} />
      {of.state === 'pending' && starts !== null && starts > now.value && (
        <p class="banner">It begins in {duration(Math.ceil((starts - now.value) / 1000) * 1000)}. Until then nothing was changed.</p>
      )}
      <Panel><div class="progress-line big"><Progress of={of} /></div></Panel>
      <Panel title="Facts">
        <Facts rows={[
          ['Operation', <span class="mono">{id}</span>], ['By', of.actor], ['Rate', of.rate ? `${of.rate}/s` : 'as fast as it goes'], ['Reason', of.reason],
          ['Matched', count(of.matched)], ['Done', count(of.done)],
          ['Failed', <span class={number(of.failed) ? 'tone-dead' : ''}>{count(of.failed)}</span>],
          ['Skipped', (number(of.skipped) ?? 0) > 0 && `${count(of.skipped)}: their state did not allow it any more`],
          ['Made', <Stamp at={of.created_at} />], ['Began', of.started_at && <Stamp at={of.started_at} />],
          ['Ended', ended !== null && <Stamp at={of.finished_at} />],
          ['Took', ended !== null && began !== null && duration(ended - began)],
          ['Cancelled by', of.cancelled_by],
          ['Last error', of.last_error && <span class="error-text">{String(of.last_error)}</span>],
          ['Tenant', of.tenant_id && <code>{String(of.tenant_id)}</code>],
        ]} />
      </Panel>
    </>
  );
}
