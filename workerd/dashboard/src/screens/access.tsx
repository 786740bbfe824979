import { useState } from 'preact/hooks';
import { call, freshKey, get, itemsOf, row } from '../core/api';
import { count } from '../core/format';
import { textOf } from '../core/json';
import { useList, useResource } from '../core/resource';
import { current, segment } from '../core/router';
import { can, whoami } from '../core/session';
import { ask, closeDialog, openDialog } from '../ui/dialog';
import { Badge, Button, Copy, CopyAs, Empty, Head, Loading, Problem, Stamp, Tabs, Time } from '../ui/parts';
import { Table } from '../ui/table';
import { toast, toastProblem } from '../ui/toast';
import { More } from './jobs';

function Verify() {
  const [found, setFound] = useState<row | null>(null);
  const [busy, setBusy] = useState(false);
  const look = async () => {
    setBusy(true);
    try {
      const told = await get('/audit/verify');
      setFound(told);
    } catch (failure) {
      toastProblem('The record cannot be verified', failure);
    }
    setBusy(false);
  };
  const words = found?.ok ? `unaltered, ${count(found.checked)} records` : `${found?.problem} at ${found?.at_id}`;
  return (
    <>
      {found && <Badge state={found.ok ? 'ok' : 'failed'}>{words}</Badge>}
      <Button icon="check" disabled={busy} onClick={() => void look()}>{busy ? 'Verifying' : 'Verify'}</Button>
    </>
  );
}

function Audit() {
  const list = useList('/audit', { limit: 100 }, (r) => String(r.id), 5000);
  return (
    <>
      <Problem of={list.error} retry={list.reload} />
      {list.fresh > 0 && <button type="button" class="fresh" onClick={list.showNew}>{list.fresh} new: show</button>}
      {list.rows === null && !list.error && <Loading />}
      {list.rows !== null && (list.rows.length ? <Table label="Audit record" rows={list.rows} id={(r) => String(r.id)} columns={[
        { name: 'at', title: 'When', lead: true, render: (r) => <Stamp at={r.at} /> },
        { name: 'actor', title: 'Who', render: (r) => <span>{String(r.actor)} <span class="dim">{String(r.role ?? '')}</span></span> },
        { name: 'action', title: 'Did', render: (r) => <b>{String(r.action)}</b> },
        { name: 'target', title: 'To', render: (r) => <code>{String(r.target ?? '')}</code> },
        { name: 'detail', title: 'Detail', wide: true, render: (r) => <code class="summary dim" title={textOf(r.detail) ?? ''}>{textOf(r.detail) ?? ''}</code> },
        { name: 'request', title: 'Request', minor: true, render: (r) => <code class="dim">{String(r.request_id ?? '').slice(0, 12)}</code> },
      ]} /> : <Empty title="Nothing was done yet" />)}
      <More list={list} />
    </>
  );
}

/// Shown once: the server keeps only its hash.
function showToken(text: string): void {
  openDialog(
    <div class="question" key="token">
      <h2 id="dialog-title">The new token</h2>
      <p>It is shown this once. Whoever has it acts with its role.</p>
      <p class="secret"><code>{text}</code> <Copy text={text} label="Copy the token" /></p>
      <footer><span class="grow" /><Button kind="main" onClick={closeDialog}>I have it</Button></footer>
    </div>,
  );
}

function Tokens() {
  const { data, error, reload } = useResource('/tokens', { limit: 200 }, 15_000);
  const rows = itemsOf(data);
  const may = can('tokens.change');
  const create = () => ask({
    title: 'New token',
    fields: [
      { name: 'name', label: 'Name', required: true, hint: 'Who or what uses it' },
      { name: 'role', label: 'Role', kind: 'select', options: ['viewer', 'operator', 'admin'], value: 'viewer' },
      { name: 'ttl', label: 'Lives for', value: '30d', hint: 'Such as 1h, 30d; empty: until it is revoked' },
      ...(whoami.value?.tenant_id ? [] : [{ name: 'tenant_id', label: 'Tenant', hint: 'UUID; empty: all tenants' }]),
    ],
    action: 'Make the token',
    run: async (values) => {
      // Without a key: an answer with a secret is not kept for a second time.
      const made = await call('POST', '/tokens', { body: Object.fromEntries(Object.entries(values).filter(([, v]) => v)) });
      reload();
      // The question closes first.
      setTimeout(() => showToken(String(made.token)));
    },
  });
  const revoke = (r: row) => ask({
    title: `Revoke ${r.name ?? r.id}?`,
    consequence: 'Whoever uses it is refused within 5 s.',
    action: 'Revoke', danger: true,
    run: async () => {
      await call('DELETE', `/tokens/${segment(r.id)}`);
      toast('Revoked');
      reload();
    },
  });
  return (
    <>
      <Problem of={error} retry={reload} />
      {may && <div class="bulk"><Button icon="key" onClick={create}>New token</Button></div>}
      {data && !rows.length && <Empty title="No token yet" />}
      {rows.length > 0 && <Table label="Tokens" rows={rows} id={(r) => String(r.id)} columns={[
        { name: 'name', title: 'Token', lead: true, render: (r) => <b>{String(r.name ?? r.id)}</b> },
        { name: 'role', title: 'Role', render: (r) => String(r.role) },
        { name: 'state', title: 'State', render: (r) => <Badge state={r.state} /> },
        { name: 'tenant', title: 'Tenant', wide: true, render: (r) => r.tenant_id ? <code>{String(r.tenant_id)}</code> : <span class="dim">all</span> },
        { name: 'used', title: 'Last used', figure: true, render: (r) => <Time at={r.last_used_at} /> },
        { name: 'expires', title: 'Expires', figure: true, render: (r) => r.expires_at ? <Time at={r.expires_at} /> : <span class="dim">never</span> },
        ...(may ? [{ name: 'acts', title: 'Actions', figure: true, render: (r: row) => r.state !== 'active' ? null : <Button kind="quiet" onClick={() => revoke(r)}>Revoke</Button> }] : []),
      ]} />}
    </>
  );
}

function Tenants() {
  const { data, error, reload } = useResource('/tenants', {}, 15_000);
  const rows = itemsOf(data);
  const create = () => ask({
    title: 'New tenant',
    fields: [{ name: 'name', label: 'Name', required: true }],
    action: 'Make the tenant',
    run: async (values) => {
      await call('POST', '/tenants', { body: { name: values.name }, key: freshKey() });
      reload();
    },
  });
  return (
    <>
      <Problem of={error} retry={reload} />
      {can('tenants.change') && <div class="bulk"><Button onClick={create}>New tenant</Button></div>}
      {data && !rows.length && <Empty title="No tenant yet" />}
      {rows.length > 0 && <Table label="Tenants" rows={rows} id={(r) => String(r.id)} columns={[
        { name: 'name', title: 'Tenant', lead: true, render: (r) => <b>{String(r.name)}</b> },
        { name: 'id', title: 'Id', wide: true, render: (r) => <span><code>{String(r.id)}</code> <Copy text={String(r.id)} /></span> },
        { name: 'made', title: 'Made', figure: true, render: (r) => <Time at={r.created_at} /> },
      ]} />}
    </>
  );
}

export function Access() {
  const view = current.value.get('view') || 'audit';
  return (
    <>
      <Head title="Access" note="Who did what, and who may do what.">
        {view === 'audit' && can('audit.verify') && <Verify />}
        <CopyAs ways={view === 'tokens' ? [['qctl', 'qctl tokens list']] : view === 'tenants' ? [['qctl', 'qctl tenants list']] : [['qctl', 'qctl audit list'], ['verify', 'qctl audit verify']]} />
      </Head>
      <Tabs label="Access" name="view" tabs={[['audit', 'Audit'], ...(can('tokens.read') ? [['tokens', 'Tokens'] as [string, string]] : []), ...(can('tenants.read') ? [['tenants', 'Tenants'] as [string, string]] : [])]} />
      {view === 'audit' && <Audit />}
      {view === 'tokens' && <Tokens />}
      {view === 'tenants' && <Tenants />}
    </>
  );
}
