import { itemsOf } from '../core/api';
import { zone } from '../core/format';
import { textOf } from '../core/json';
import { useResource } from '../core/resource';
import { readOnly, whoami } from '../core/session';
import { density, theme } from '../core/settings';
import { Empty, Facts, Head, Panel, Problem, Stamp } from '../ui/parts';
import { Table } from '../ui/table';

function Choice<T extends string>(props: {
  label: string; name: string; value: T; options: [T, string][]; set: (v: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend>{props.label}</legend>
      {props.options.map(([value, text]) => (
        <label>
          <input type="radio" name={props.name} checked={props.value === value} onChange={() => props.set(value)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Effective() {
  const { data, error } = useResource('/settings');
  const rows = itemsOf(data);
  return (
    <Panel title="Configuration in force" tight side={<span class="dim">secrets are never shown</span>}>
      <Problem of={error} />
      {data && !rows.length && <Empty title="Nothing to show" />}
      {rows.length > 0 && <Table label="Configuration" rows={rows} id={(r) => String(r.path)} keys={false} columns={[
        { name: 'option', title: 'Option', lead: true, render: (r) => <code>{String(r.path)}</code> },
        { name: 'value', title: 'Value', wide: true, render: (r) => <code class="summary">{textOf(r.value) ?? '–'}</code> },
        { name: 'source', title: 'From', render: (r) => <span class="dim">{String(r.source ?? '')}{r.line ? `:${r.line}` : ''}</span> },
      ]} />}
    </Panel>
  );
}

export function Settings() {
  const who = whoami.value!;
  const rights: string[] = who.rights ?? [];
  return (
    <>
      <Head title="Settings" />
      <div class="halves">
        <Panel title="This browser">
          <Choice label="Theme" name="theme" value={theme.value} set={(v) => (theme.value = v)}
            options={[['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']]} />
          <Choice label="Rows" name="density" value={density.value} set={(v) => (density.value = v)}
            options={[['compact', 'Compact'], ['roomy', 'Roomy']]} />
          <Choice label="Times" name="zone" value={zone.value} set={(v) => (zone.value = v)}
            options={[['local', 'Of this browser'], ['utc', 'UTC']]} />
          <Choice label="Actions" name="read-only" value={readOnly.value ? 'no' : 'yes'} set={(v) => (readOnly.value = v === 'no')}
            options={[['yes', 'Offered'], ['no', 'Read-only']]} />
        </Panel>
        <Panel title="You">
          <Facts rows={[
            ['Name', who.actor], ['Role', who.role],
            ['Tenant', who.tenant_id ? <code>{String(who.tenant_id)}</code> : 'all'],
            ['Token ends', who.expires_at ? <Stamp at={who.expires_at} /> : 'when it is revoked'],
            ['Server', `workerd ${who.version ?? ''}${who.dev ? ' --dev' : ''}`],
            ['May', <span class="rights">{rights.map((r) => <code>{r}</code>)}</span>],
          ]} />
        </Panel>
      </div>
      {rights.includes('settings.read') && <Effective />}
    </>
  );
}
