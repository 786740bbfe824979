import { itemsOf, row } from '../core/api';
import { bytes, count, duration, number, percent, seconds, short } from '../core/format';
import { useResource } from '../core/resource';
import { Badge, Copy, CopyAs, Empty, Facts, Figure, Head, Loading, Meter, Panel, Problem, Time } from '../ui/parts';
import { Table } from '../ui/table';

function valueShown(name: string, value: any): any {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') return JSON.stringify(value);
  if (/_bytes$/.test(name)) return bytes(value);
  if (/_seconds(_ago)?$/.test(name)) return seconds(value);
  if (/_ms$/.test(name)) return duration(value);
  if (/_at$/.test(name)) return <Time at={value} />;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return number(value) !== null && typeof value === 'number' ? count(value) : String(value);
}

function Findings({ rows }: { rows: row[] }) {
  return (
    <Panel title="Findings" side={<span class="dim">qctl doctor says the same</span>}>
      {!rows.length && <Empty title="Nothing is wrong" />}
      <ul class="findings">
        {rows.map((f) => {
          const cure = f.cure ?? f.command ?? f.hint;
          return (
            <li>
              <Badge state={f.severity ?? f.level ?? 'warning'} />
              <div>
                <strong>{String(f.problem ?? f.finding ?? f.message ?? f.text ?? '')}</strong>
                {f.check && <span class="dim"> {String(f.check)}</span>}
                {f.by_hand && <span class="dim"> ends somebody's session: decide yourself</span>}
                {cure && <p class="cure"><code>{String(cure)}</code> <Copy text={String(cure)} label="Copy the cure" /></p>}
              </div>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

export function Database() {
  const { data, error, reload } = useResource('/database', {}, 5000);
  const tables = itemsOf(data, 'tables');
  const findings = itemsOf(data, 'findings').length ? itemsOf(data, 'findings') : itemsOf(data, 'cures');
  const shown = new Set(['tables', 'findings', 'cures', 'connections',
    'max_connections', 'oldest_transaction_seconds', 'bytes', 'dead_rows', 'schema_version']);
  const rest = Object.entries<any>(data ?? {}).filter(([name, v]) => !shown.has(name) && !Array.isArray(v) && (v === null || typeof v !== 'object'));
  const used = number(data?.connections);
  const most = number(data?.max_connections);
  const dead = number(data?.dead_rows) ?? (tables.length ? tables.reduce((all, t) => all + (number(t.dead_rows) ?? 0), 0) : null);
  const size = number(data?.bytes);
  const oldest = number(data?.oldest_transaction_seconds);
  const largest = Math.max(1, ...tables.map((t) => number(t.bytes) ?? 0));
  return (
    <>
      <Head title="Database">
        <CopyAs ways={[['qctl', 'qctl doctor'], ['stats', 'qctl stats'], ['schema', 'qctl migrate status']]} />
      </Head>
      <Problem of={error} retry={reload} />
      {!data && !error && <Loading />}
      {data && (
        <>
          <div class="figures">
            {size !== null && <Figure name="Size" value={bytes(size)} />}
            <Figure name="Dead rows" value={short(dead)} />
            <Figure name="Oldest transaction" value={seconds(oldest)} tone={(oldest ?? 0) > 300 ? 'tone-dead' : ''} />
            <Figure name="Connections" value={used === null ? '–' : <>{count(used)}{most !== null && <span class="dim"> / {count(most)}</span>}</>}
              note={most ? percent(((used ?? 0) / most) * 100) : undefined} />
            <Figure name="Schema" value={String(data.schema_version ?? '–')} />
            <Figure name="Findings" value={count(findings.length)} tone={findings.length ? 'tone-retrying' : ''} />
          </div>
          <Findings rows={findings} />
          {tables.length > 0 && (
            <Panel title="Tables" tight>
              <Table label="Tables" rows={tables} id={(r) => String(r.name)} columns={[
                { name: 'name', title: 'Table', lead: true, render: (r) => <code>{String(r.name)}</code> },
                { name: 'size', title: 'Size', render: (r) => {
                  const n = number(r.bytes) ?? 0;
                  return <span class="share"><Meter value={n} of={largest} label={bytes(n)} tone="ready" /><span class="mono">{bytes(n)}</span></span>;
                } },
                { name: 'index', title: 'Indexes', figure: true, minor: true, render: (r) => bytes(r.index_bytes) },
                { name: 'live', title: 'Rows', figure: true, render: (r) => short(r.rows) },
                { name: 'dead', title: 'Dead rows', figure: true, render: (r) => {
                  const bad = (number(r.dead_rows) ?? 0) > Math.max(10_000, (number(r.rows) ?? 0) / 5);
                  return <span class={bad ? 'tone-dead' : ''}>{short(r.dead_rows)}</span>;
                } },
                { name: 'vacuum', title: 'Vacuumed', figure: true, minor: true, render: (r) => <Time at={r.vacuumed_at} /> },
              ]} />
            </Panel>
          )}
          {rest.length > 0 && <Panel title="More"><Facts rows={rest.map(([name, v]) => [name.replace(/_/g, ' '), valueShown(name, v)])} /></Panel>}
        </>
      )}
    </>
  );
}
