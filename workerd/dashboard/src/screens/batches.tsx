import { call, freshKey, row } from '../core/api';
import { count, number } from '../core/format';
import { firstLine } from '../core/model';
import { useList, useResource } from '../core/resource';
import { current, link, segment } from '../core/router';
import { can } from '../core/session';
import { ask } from '../ui/dialog';
import { Json } from '../ui/json_view';
import { Badge, Button, CopyAs, Empty, Facts, Head, JobLink, Loading, Panel, Problem, Stack, Stamp, Tabs, Time } from '../ui/parts';
import { Table } from '../ui/table';
import { toast } from '../ui/toast';
import { More } from './jobs';

function Share({ of }: { of: row }) {
  const n = (name: string) => number(of[name]) ?? 0;
  return (
    <span class="share">
      <Stack label={`${count(of.succeeded)} succeeded, ${count(of.failed)} failed, ${count(of.cancelled)} cancelled, ${count(of.pending)} pending`}
        parts={[['completed', n('succeeded')], ['dead', n('failed')], ['cancelled', n('cancelled')], ['rest', n('pending')]]} />
      <span class="mono">{count(of.processed)} / {count(of.total)}</span>
    </span>
  );
}

export function Batches() {
  const list = useList('/batches', { limit: 100 }, (r) => String(r.id), 5000);
  return (
    <>
      <Head title="Batches" note="Jobs counted under one id.">
        <CopyAs ways={[['qctl', 'qctl batches list'], ['SQL', 'SELECT * FROM queue.batches ORDER BY id DESC LIMIT 50']]} />
      </Head>
      <Problem of={list.error} retry={list.reload} />
      {list.fresh > 0 && <button type="button" class="fresh" onClick={list.showNew}>{list.fresh} new: show</button>}
      {list.rows === null && !list.error && <Loading />}
      {list.rows !== null && (list.rows.length ? (
        <Table label="Batches" rows={list.rows} id={(r) => String(r.id)} open={(r) => link(`batches/${segment(r.id)}`)} columns={[
          { name: 'id', title: 'Batch', lead: true, render: (r) => <a class="mono" href={link(`batches/${segment(r.id)}`)}>{String(r.id)}</a> },
          { name: 'name', title: 'Name', wide: true, render: (r) => r.name ? String(r.name) : <span class="dim">–</span> },
          { name: 'state', title: 'State', render: (r) => <Badge state={r.cancelling ? 'cancelling' : r.state} /> },
          { name: 'share', title: 'Progress', render: (r) => <Share of={r} /> },
          { name: 'failed', title: 'Failed', figure: true, render: (r) => <span class={number(r.failed) ? 'tone-dead' : 'dim'}>{count(r.failed)}</span> },
          { name: 'made', title: 'Made', figure: true, render: (r) => <Time at={r.created_at} /> },
          { name: 'ended', title: 'Ended', figure: true, minor: true, render: (r) => <Time at={r.finished_at} /> },
        ]} />
      ) : <Empty title="No batch yet" />)}
      <More list={list} />
    </>
  );
}

function Items({ id }: { id: string }) {
  const state = current.value.get('state');
  const list = useList(`/batches/${segment(id)}/items`, { state, limit: 100 }, (r) => String(r.id), 5000);
  return (
    <Panel title="Items" tight>
      <Tabs label="States" name="state" tabs={[['', 'All'], ['dead', 'Dead'], ['running', 'Running'], ['retrying', 'Retrying'], ['completed', 'Completed'], ['cancelled', 'Cancelled']]} />
      <Problem of={list.error} retry={list.reload} />
      {list.rows !== null && (list.rows.length ? (
        <Table label="Items" rows={list.rows} id={(r) => String(r.id)} open={(r) => link(`jobs/${segment(r.id)}`)} columns={[
          { name: 'id', title: 'Job', lead: true, render: (r) => <JobLink id={r.id} /> },
          { name: 'state', title: 'State', render: (r) => <Badge state={r.state} /> },
          { name: 'kind', title: 'Kind', render: (r) => <code class="kind">{String(r.kind)}</code> },
          { name: 'attempts', title: 'Attempts', figure: true, render: (r) => r.attempts },
          { name: 'error', title: 'Error', wide: true, render: (r) => <span class="summary error-text">{firstLine(r.error)}</span> },
          { name: 'ended', title: 'Ended', figure: true, render: (r) => <Time at={r.finished_at} /> },
        ]} />
      ) : <Empty title="No item here" />)}
      <More list={list} />
    </Panel>
  );
}

export function Batch({ id }: { id: string }) {
  const { data, error, reload } = useResource<row>(`/batches/${segment(id)}`, {}, 3000);
  const back: [string, string] = [link('batches'), 'Batches'];
  const of: row | null = data ? (Array.isArray(data.items) ? data.items[0] : data) : null;
  if (!of) return <><Head title={`Batch ${id}`} back={back} />{error ? <Problem of={error} retry={reload} /> : <Loading />}</>;
  const over = !!of.finished_at;
  const cancel = () => ask({
    title: `Cancel batch ${id}?`,
    consequence: 'Its waiting jobs are cancelled, running ones are asked to stop.',
    facts: [['Still pending', count(of.pending)]],
    fields: [{ name: 'reason', label: 'Reason' }],
    confirm: (number(of.pending) ?? 0) > 100 ? String(of.pending) : undefined,
    action: 'Cancel the batch', danger: true,
    run: async (values) => {
      await call('POST', `/batches/${segment(id)}/cancel`, { body: { reason: values.reason || undefined }, key: freshKey() });
      toast(`Batch ${id} is cancelled`);
      reload();
    },
  });
  const n = (name: string) => number(of[name]) ?? 0;
  return (
    <>
      <Head back={back} title={<>{of.name ? String(of.name) : `Batch ${id}`} <Badge state={of.cancelling ? 'cancelling' : of.state} /></>}>
        <CopyAs ways={[['qctl', `qctl batches show ${id}`], ['SQL', `SELECT * FROM queue.batches WHERE id = ${id}`]]} />
        <a class="button plain" href={link(`workflows/${segment(of.on_finish_job_id ?? of.on_success_job_id ?? of.first_job_id ?? id)}`)} hidden={!of.on_finish_job_id && !of.on_success_job_id}>Draw</a>
        {can('batches.cancel') && !over && <Button kind="danger" icon="close" onClick={cancel}>Cancel</Button>}
      </Head>
      <Problem of={error} />
      <Panel>
        <div class="progress-line big">
          <Stack label="Progress" parts={[['completed', n('succeeded')], ['dead', n('failed')], ['cancelled', n('cancelled')], ['rest', n('pending')]]} />
          <b>{count(of.processed)} of {count(of.total)}</b>
        </div>
        <ul class="legend">
          <li><i class="dot completed" /> {count(of.succeeded)} succeeded</li>
          <li><i class="dot dead" /> {count(of.failed)} failed</li>
          <li><i class="dot cancelled" /> {count(of.cancelled)} cancelled</li>
          <li><i class="dot rest" /> {count(of.pending)} pending</li>
        </ul>
      </Panel>
      <div class="job-grid">
        <Items id={id} />
        <div>
          <Panel title="Facts">
            <Facts rows={[
              ['Batch', <span class="mono">{id}</span>], ['Made', <Stamp at={of.created_at} />],
              ['Sealed', of.sealed ? <Stamp at={of.sealed_at} /> : 'no: jobs may still be added'],
              ['Ended', of.finished_at && <Stamp at={of.finished_at} />],
              ['Cancelled', of.cancelled_at && <><Stamp at={of.cancelled_at} /> {String(of.cancel_reason ?? '')}</>],
              ['On success', of.on_success && <><code>{String(of.on_success)}</code> <JobLink id={of.on_success_job_id} /></>],
              ['On failure', of.on_failure && <><code>{String(of.on_failure)}</code> <JobLink id={of.on_failure_job_id} /></>],
              ['At the end', of.on_finish && <><code>{String(of.on_finish)}</code> <JobLink id={of.on_finish_job_id} /></>],
              ['Callback', of.callback_error && <span class="error-text">{String(of.callback_error)}</span>],
              ['Tenant', of.tenant_id && <code>{String(of.tenant_id)}</code>],
            ]} />
          </Panel>
          {of.payload && <Panel title="Payload"><Json of={of.payload} label="Payload" /></Panel>}
        </div>
      </div>
    </>
  );
}

