import { call, freshKey, itemsOf, row } from '../core/api';
import { beats } from '../core/live';
import { useList, useResource } from '../core/resource';
import { current, segment } from '../core/router';
import { can } from '../core/session';
import { act } from '../ui/actions';
import { Badge, Button, CopyAs, Empty, Head, Loading, Problem, Tabs, Time } from '../ui/parts';
import { Table, column } from '../ui/table';
import { More } from './jobs';

const words = (r: row): string => String(r.summary ?? '');

const columns: column[] = [
  { name: 'severity', title: 'Severity', lead: true, render: (r) => <Badge state={r.severity} /> },
  { name: 'rule', title: 'Rule', render: (r) => <b>{String(r.rule ?? '')}</b> },
  { name: 'about', title: 'About', render: (r) => <code>{String(r.subject ?? '')}</code> },
  { name: 'text', title: 'What', wide: true, render: (r) => <span class="summary" title={words(r)}>{words(r)}</span> },
  { name: 'since', title: 'Since', figure: true, render: (r) => <Time at={r.raised_at} /> },
];

function Open() {
  beats.alert.value;
  const { data, error, reload } = useResource('/alerts', { limit: 200 }, 5000);
  const rows = itemsOf(data);
  const acknowledge = (r: row) => void act('Acknowledged', () => call('POST', `/alerts/${segment(r.id)}/acknowledge`, { key: freshKey() }), reload);
  return (
    <>
      <Problem of={error} retry={reload} />
      {!data && !error && <Loading />}
      {data && !rows.length && <Empty title="No alert is open">Rules and channels are in the configuration of workerd.</Empty>}
      {rows.length > 0 && <Table label="Open alerts" rows={rows} id={(r) => String(r.id)} columns={[
        ...columns,
        { name: 'ack', title: 'Acknowledged', figure: true, render: (r) => r.acknowledged_at
          ? <span>{String(r.acknowledged_by ?? '')} <Time at={r.acknowledged_at} /></span>
          : can('alerts.acknowledge') ? <Button icon="check" onClick={() => acknowledge(r)}>Acknowledge</Button> : <span class="dim">no</span> },
      ]} />}
    </>
  );
}

function History() {
  const list = useList('/alerts/history', { limit: 100 }, (r) => String(r.id), 15_000);
  return (
    <>
      <Problem of={list.error} retry={list.reload} />
      {list.rows !== null && !list.rows.length && <Empty title="No alert was raised in the last days" />}
      {!!list.rows?.length && <Table label="Past alerts" rows={list.rows} id={(r) => String(r.id)} columns={[
        ...columns,
        { name: 'until', title: 'Ended', figure: true, render: (r) => <Time at={r.resolved_at} /> },
        { name: 'by', title: 'Acknowledged by', minor: true, render: (r) => String(r.acknowledged_by ?? '–') },
      ]} />}
      <More list={list} />
    </>
  );
}

export function Alerts() {
  const past = current.value.get('view') === 'history';
  return (
    <>
      <Head title="Alerts"><CopyAs ways={[['qctl', 'qctl alerts list']]} /></Head>
      <Tabs label="Alerts" name="view" tabs={[['open', 'Open'], ['history', 'History']]} />
      {past ? <History /> : <Open />}
    </>
  );
}
