import { call, freshKey, itemsOf, row } from '../core/api';
import { count, duration, number, rate } from '../core/format';
import { useList, useResource } from '../core/resource';
import { current, segment } from '../core/router';
import { can } from '../core/session';
import { act } from '../ui/actions';
import { ask } from '../ui/dialog';
import { Badge, Button, CopyAs, Empty, Head, JobLink, Loading, Meter, Panel, Problem, QueueLink, Tabs, Time } from '../ui/parts';
import { Table, column } from '../ui/table';
import { toast } from '../ui/toast';
import { More } from './jobs';

const post = (path: string, body?: unknown): Promise<any> => call('POST', path, { body, key: freshKey() });

function changeLimit(of: row, reload: () => void): void {
  ask({
    title: `Change limit ${of.name}`,
    consequence: 'It holds for every process at once.',
    fields: [
      { name: 'burst', label: 'Burst', kind: 'number', value: String(of.burst ?? '') },
      { name: 'rate', label: 'Tokens per second', kind: 'number', value: String(of.rate ?? '') },
      { name: 'concurrency', label: 'At a time', kind: 'number', value: String(of.concurrency ?? '') },
    ],
    action: 'Save',
    run: async (values) => {
      const body: row = {};
      for (const [name, value] of Object.entries(values)) if (value !== '') body[name] = number(value);
      await call('PUT', `/limits/${segment(of.name)}`, { body });
      toast(`${of.name} is changed`);
      reload();
    },
  });
}

function stopLimit(of: row, reload: () => void): void {
  ask({
    title: `Stop ${of.name}?`,
    consequence: 'Nothing that needs it is claimed until it is resumed. The jobs wait and lose no attempt.',
    fields: [{ name: 'reason', label: 'Reason', required: true }],
    action: 'Stop', danger: true,
    run: async (values) => {
      await post(`/limits/${segment(of.name)}/stop`, { reason: values.reason });
      toast(`${of.name} is stopped`);
      reload();
    },
  });
}

function LimitState({ of }: { of: row }) {
  if (of.stopped) return <span><Badge state="stopped" /> <span class="dim">{String(of.stop_reason ?? '')}{of.stopped_by ? ` · ${of.stopped_by}` : ''}</span></span>;
  if (of.circuit && of.circuit !== 'closed') return <span><Badge state={of.circuit === 'open' ? 'down' : 'half_open'}>circuit {String(of.circuit).replace('_', ' ')}</Badge> <span class="dim"><Time at={of.circuit_opened_at} /></span></span>;
  if (of.closed_until) return <span><Badge state="retrying">closed</Badge> <span class="dim"><Time at={of.closed_until} /> {String(of.close_reason ?? '')}</span></span>;
  return <Badge state="ok">{of.circuit ? 'circuit closed' : 'open'}</Badge>;
}

function Limits() {
  const { data, error, reload } = useResource('/limits', {}, 3000);
  const rows = itemsOf(data);
  const columns: column[] = [
    { name: 'name', title: 'Limit', lead: true, render: (r) => <span><b>{String(r.name)}</b>{r.key ? <code> {String(r.key)}</code> : null}</span> },
    { name: 'state', title: 'State', wide: true, render: (r) => <LimitState of={r} /> },
    { name: 'tokens', title: 'Tokens', render: (r) => r.rate === null || r.rate === undefined ? <span class="dim">–</span> : (
      <span class="share"><Meter value={number(r.tokens) ?? 0} of={number(r.burst) ?? 0} tone={number(r.tokens) === 0 ? 'retrying' : 'completed'} label={`${count(r.tokens)} of ${count(r.burst)} tokens`} /><span class="mono">{count(r.tokens)} / {count(r.burst)}</span></span>
    ) },
    { name: 'rate', title: 'Per second', figure: true, render: (r) => rate(r.rate) },
    { name: 'running', title: 'At a time', figure: true, render: (r) => <span>{count(r.running)}<span class="dim"> / {count(r.concurrency)}</span></span> },
    { name: 'next', title: 'Next token', figure: true, minor: true, render: (r) => <Time at={r.next_token_at} /> },
    { name: 'probe', title: 'Probe', figure: true, minor: true, render: (r) => r.probe_job ? <JobLink id={r.probe_job} /> : <Time at={r.probe_at} /> },
  ];
  if (can('limits.change')) {
    columns.push({ name: 'acts', title: 'Actions', figure: true, render: (r) => (
      <span class="row-acts">
        <Button kind="quiet" icon="edit" label={`Change ${r.name}`} onClick={() => changeLimit(r, reload)} />
        <Button kind="quiet" icon="replay" label={`Fill ${r.name} and close its circuit`} onClick={() => void act(`${r.name} is reset`, () => post(`/limits/${segment(r.name)}/reset`, r.key ? { key: r.key } : {}), reload)} />
        {r.stopped
          ? <Button kind="quiet" icon="play" label={`Resume ${r.name}`} onClick={() => void act(`${r.name} is resumed`, () => post(`/limits/${segment(r.name)}/resume`), reload)} />
          : <Button kind="quiet" icon="pause" label={`Stop ${r.name}`} onClick={() => stopLimit(r, reload)} />}
      </span>
    ) });
  }
  return (
    <>
      <Problem of={error} retry={reload} />
      {!data && !error && <Loading />}
      {data && !rows.length && <Empty title="No limit is set">They come from the configuration of workerd, or <code>qctl limits set</code>.</Empty>}
      {rows.length > 0 && <Table label="Limits" rows={rows} id={(r) => `${r.name} ${r.key}`} columns={columns} />}
    </>
  );
}

/// What belongs to a processor that is not installed is no fault.
function Absent({ of, what }: { of: { status: number; detail: string } | null; what: string }) {
  return of?.status === 404 ? <Empty title={`No ${what} here`}>{of.detail || 'The processor is not installed in this database.'}</Empty> : null;
}

function Webhooks() {
  const ends = useResource('/webhooks/endpoints', { limit: 200 }, 5000);
  const list = useList('/webhooks/deliveries', { limit: 100 }, (r) => `${r.at} ${r.endpoint_id} ${r.event_id} ${r.attempt}`, 5000);
  const rows = itemsOf(ends.data);
  const gone = ends.error?.status === 404 ? ends.error : null;
  if (gone) return <Absent of={gone} what="webhooks" />;
  const mayChange = can('endpoints.change');
  const turn = (r: row, on: boolean) => void act(`${on ? 'Enabled' : 'Disabled'}`, () => post(`/webhooks/endpoints/${segment(r.id)}/${on ? 'enable' : 'disable'}`), ends.reload);
  return (
    <>
      <Problem of={ends.error} retry={ends.reload} />
      <Panel title="Endpoints" tight>
        {ends.data && !rows.length && <Empty title="No endpoint yet" />}
        {rows.length > 0 && <Table label="Endpoints" rows={rows} id={(r) => String(r.id)} keys={false} columns={[
          { name: 'url', title: 'Endpoint', lead: true, wide: true, render: (r) => <span class="summary" title={String(r.url ?? '')}>{String(r.url ?? r.id)}</span> },
          { name: 'state', title: 'State', render: (r) => <Badge state={stateOfEndpoint(r)} /> },
          { name: 'why', title: 'Why', render: (r) => <span class="dim">{String(r.reason ?? '')}</span> },
          { name: 'delivered', title: 'Delivered', figure: true, minor: true, render: (r) => <span>{count(r.delivered)}<span class="dim"> / {count(r.attempts)}</span></span> },
          { name: 'last', title: 'Last', figure: true, render: (r) => <span>{String(r.last_outcome ?? '')} <Time at={r.last_at} /></span> },
          ...(mayChange ? [{ name: 'acts', title: 'Actions', figure: true, render: (r: row) => stateOfEndpoint(r) === 'enabled'
            ? <Button kind="quiet" onClick={() => turn(r, false)}>Disable</Button>
            : <Button kind="quiet" onClick={() => turn(r, true)}>Enable</Button> }] : []),
        ]} />}
      </Panel>
      <Panel title="Deliveries" tight>
        <Problem of={list.error} retry={list.reload} />
        {list.fresh > 0 && <button type="button" class="fresh" onClick={list.showNew}>{list.fresh} new: show</button>}
        {list.rows !== null && (list.rows.length ? <Table label="Deliveries" rows={list.rows} id={(r) => `${r.at} ${r.endpoint_id} ${r.event_id} ${r.attempt}`} columns={[
          { name: 'event', title: 'Event', lead: true, render: (r) => <code>{String(r.event_id)}</code> },
          { name: 'outcome', title: 'Outcome', render: (r) => <Badge state={r.outcome} /> },
          { name: 'type', title: 'Type', wide: true, render: (r) => <code class="summary">{String(r.type ?? '')}</code> },
          { name: 'status', title: 'Answer', figure: true, render: (r) => r.status ?? '–' },
          { name: 'attempt', title: 'Attempt', figure: true, minor: true, render: (r) => r.attempt },
          { name: 'took', title: 'Took', figure: true, minor: true, render: (r) => duration(r.duration_ms) },
          { name: 'job', title: 'Job', figure: true, render: (r) => <JobLink id={r.job_id} /> },
          { name: 'at', title: 'When', figure: true, render: (r) => <Time at={r.at} /> },
          ...(can('deliveries.replay') ? [{ name: 'acts', title: 'Actions', figure: true, render: (r: row) => (
            <Button kind="quiet" icon="replay" label={`Send ${r.event_id} again`} onClick={() => void act('It is sent again', () => post(`/webhooks/deliveries/${segment(r.event_id)}/replay`, { endpoint: r.endpoint_id }), list.reload)} />
          ) }] : []),
        ]} /> : <Empty title="Nothing was delivered yet" />)}
        <More list={list} />
      </Panel>
    </>
  );
}

function stateOfEndpoint(r: row): string {
  return String(r.state) === 'active' ? 'enabled' : String(r.state);
}

function Subscriptions() {
  const { data, error, reload } = useResource('/subscriptions', { limit: 200 }, 10_000);
  const rows = itemsOf(data);
  const may = can('subscriptions.change');
  const add = () => ask({
    title: 'New subscription',
    consequence: 'Events of these topics become jobs of this kind, in the publisher’s transaction.',
    fields: [{ name: 'pattern', label: 'Topics', required: true, hint: 'Such as payment.completed or payment.*' },
      { name: 'kind', label: 'Kind', required: true }, { name: 'queue', label: 'Queue' }],
    action: 'Subscribe',
    run: async (values) => {
      await post('/subscriptions', Object.fromEntries(Object.entries(values).filter(([, v]) => v)));
      reload();
    },
  });
  const unheard = itemsOf(useResource('/subscriptions/unrouted', {}, 10_000).data);
  const remove = (r: row) => ask({
    title: `Unsubscribe ${r.kind} from ${r.pattern}?`,
    consequence: 'Later events of these topics make no such job.',
    action: 'Unsubscribe', danger: true,
    run: async () => {
      await call('DELETE', `/subscriptions/${segment(r.id)}`);
      reload();
    },
  });
  return (
    <>
      <Problem of={error} retry={reload} />
      {may && <div class="bulk"><Button onClick={add}>New subscription</Button></div>}
      {data && !rows.length && <Empty title="Nobody subscribes to anything" />}
      {rows.length > 0 && <Table label="Subscriptions" rows={rows} id={(r) => String(r.id)} columns={[
        { name: 'pattern', title: 'Topics', lead: true, render: (r) => <code>{String(r.pattern)}</code> },
        { name: 'kind', title: 'Become', wide: true, render: (r) => <code class="kind">{String(r.kind)}</code> },
        { name: 'queue', title: 'Queue', render: (r) => <QueueLink name={r.queue} /> },
        { name: 'delay', title: 'Delay', figure: true, minor: true, render: (r) => duration(r.delay_ms) },
        { name: 'made', title: 'Changed', figure: true, render: (r) => <Time at={r.updated_at ?? r.created_at} /> },
        ...(may ? [{ name: 'acts', title: 'Actions', figure: true, render: (r: row) => <Button kind="quiet" icon="trash" label={`Remove ${r.pattern}`} onClick={() => remove(r)} /> }] : []),
      ]} />}
      {unheard.length > 0 && (
        <Panel title="Topics that nobody heard" tight class="warn-panel">
          <Table label="Topics that nobody heard" rows={unheard} id={(r) => String(r.topic)} keys={false} columns={[
            { name: 'topic', title: 'Topic', lead: true, wide: true, render: (r) => <code>{String(r.topic)}</code> },
            { name: 'count', title: 'Events', figure: true, render: (r) => count(r.count) },
            { name: 'first', title: 'First', figure: true, render: (r) => <Time at={r.first_at} /> },
            { name: 'last', title: 'Last', figure: true, render: (r) => <Time at={r.last_at} /> },
          ]} />
        </Panel>
      )}
    </>
  );
}

function Templates() {
  const { data, error, reload } = useResource('/templates', { limit: 200 }, 15_000);
  const rows = itemsOf(data);
  if (error?.status === 404) return <Absent of={error} what="mail templates" />;
  return (
    <>
      <Problem of={error} retry={reload} />
      {data && !rows.length && <Empty title="No template yet" />}
      {rows.length > 0 && <Table label="Templates" rows={rows} id={(r) => [r.name, r.locale, r.tenant_id, r.version].join(' ')} columns={[
        { name: 'name', title: 'Template', lead: true, render: (r) => <b>{String(r.name)}</b> },
        { name: 'version', title: 'Version', figure: true, render: (r) => r.version },
        { name: 'state', title: 'State', render: (r) => <Badge state={r.status} /> },
        { name: 'category', title: 'Category', wide: true, render: (r) => <span>{String(r.category ?? '')} <span class="dim">{String(r.locale ?? '')}</span></span> },
        { name: 'tenant', title: 'Tenant', minor: true, render: (r) => r.tenant_id ? <code>{String(r.tenant_id).slice(0, 8)}</code> : <span class="dim">every</span> },
        { name: 'changed', title: 'Changed', figure: true, render: (r) => <Time at={r.status_at ?? r.created_at} /> },
      ]} />}
    </>
  );
}

export function Integrations() {
  const view = current.value.get('view') || 'limits';
  const ways: Record<string, [string, string][]> = {
    limits: [['qctl', 'qctl limits list'], ['SQL', 'SELECT * FROM queue.limit_status']],
    webhooks: [['SQL', 'SELECT * FROM webhooks.endpoints']],
    subscriptions: [['qctl', 'qctl subscriptions list'], ['SQL', 'SELECT * FROM queue.subscriptions']],
    templates: [['SQL', 'SELECT * FROM mail.templates']],
  };
  return (
    <>
      <Head title="Integrations" note="Limits and breakers of the outside world, and who is told what.">
        <CopyAs ways={ways[view] ?? ways.limits!} />
      </Head>
      <Tabs label="Integrations" name="view" tabs={[['limits', 'Limits and breakers'], ['webhooks', 'Webhooks'], ['subscriptions', 'Subscriptions'], ['templates', 'Templates']]} />
      {view === 'limits' && <Limits />}
      {view === 'webhooks' && <Webhooks />}
      {view === 'subscriptions' && <Subscriptions />}
      {view === 'templates' && <Templates />}
    </>
  );
}

