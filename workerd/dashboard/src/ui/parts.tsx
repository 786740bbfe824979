import { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { problem } from '../core/api';
import { absolute, ago, instant, now, zone } from '../core/format';
import { current, link, segment, setQuery } from '../core/router';
import { whoami } from '../core/session';
import { Icon, icon_name } from './icons';
import { toast } from './toast';

const tones: Record<string, string> = {
  ready: 'ready', waiting: 'ready', pending: 'ready', open: 'ready',
  scheduled: 'scheduled', snoozed: 'scheduled', paused: 'retrying', sealed: 'scheduled',
  running: 'running', processing: 'running', cancelling: 'retrying', begun: 'running',
  retrying: 'retrying', unknown: 'retrying', half_open: 'retrying', degraded: 'retrying',
  draining: 'retrying', warning: 'retrying', partial_success: 'retrying', partial: 'retrying',
  completed: 'completed', closed: 'completed', committed: 'completed', live: 'completed',
  succeeded: 'completed', delivered: 'completed', enabled: 'completed', ok: 'completed',
  active: 'completed', up: 'completed', enqueued: 'completed', fired: 'completed',
  cancelled: 'cancelled', abandoned: 'cancelled', skipped: 'cancelled', info: 'cancelled',
  archived: 'cancelled', draft: 'cancelled', gone: 'cancelled', acknowledged: 'cancelled',
  dead: 'dead', failed: 'dead', lost: 'dead', discarded: 'dead', disabled: 'dead',
  stopped: 'dead', down: 'dead', critical: 'dead', error: 'dead', revoked: 'dead', expired: 'dead',
  firing: 'dead',
};

export function toneOf(state: unknown): string {
  return tones[String(state).toLowerCase().replace(/[ -]/g, '_')] ?? 'cancelled';
}

/// A state as word and shape, never as colour alone.
export function Badge({ state, children }: { state: unknown; children?: ComponentChildren }) {
  if (state === null || state === undefined || state === '') return <span class="dim">–</span>;
  return (
    <span class={`badge ${toneOf(state)}`}>
      <i class="dot" aria-hidden="true" />
      {children ?? String(state).replace(/_/g, ' ')}
    </span>
  );
}

/// Relative; the instant is in the title.
export function Time({ at }: { at: unknown }) {
  const found = instant(at);
  if (found === null) return <span class="dim">–</span>;
  const other = zone.value === 'utc' ? 'local' : 'utc';
  const title = `${absolute(found)}\n${absolute(found, other)}`;
  return (
    <time dateTime={new Date(found).toISOString()} title={title}>
      {ago(found, now.value)}
    </time>
  );
}

/// The instant first; for records.
export function Stamp({ at }: { at: unknown }) {
  const found = instant(at);
  if (found === null) return <span class="dim">–</span>;
  return (
    <time dateTime={new Date(found).toISOString()} title={ago(found, now.value)} class="mono">
      {absolute(found)}
    </time>
  );
}

export function Panel(props: {
  title?: ComponentChildren;
  side?: ComponentChildren;
  children?: ComponentChildren;
  tight?: boolean;
  class?: string;
}) {
  return (
    <section class={`panel ${props.tight ? 'tight' : ''} ${props.class ?? ''}`}>
      {(props.title || props.side) && (
        <header>
          {props.title && <h2>{props.title}</h2>}
          {props.side && <div class="side">{props.side}</div>}
        </header>
      )}
      {props.children}
    </section>
  );
}

export function Head(props: {
  title: ComponentChildren;
  note?: ComponentChildren;
  back?: [string, string];
  children?: ComponentChildren;
}) {
  return (
    <header class="head">
      <div class="head-title">
        {props.back && (
          <a class="back" href={props.back[0]}>
            <Icon name="back" size={12} /> {props.back[1]}
          </a>
        )}
        <h1>{props.title}</h1>
        {props.note && <p class="note">{props.note}</p>}
      </div>
      <div class="actions">{props.children}</div>
    </header>
  );
}

export function Button(props: {
  icon?: icon_name;
  children?: ComponentChildren;
  onClick?: (event: MouseEvent) => void;
  kind?: 'plain' | 'main' | 'danger' | 'quiet';
  label?: string;
  disabled?: boolean;
  title?: string;
  pressed?: boolean;
  type?: 'submit' | 'button';
  id?: string;
}) {
  return (
    <button
      id={props.id}
      type={props.type ?? 'button'}
      class={`button ${props.kind ?? 'plain'} ${props.children ? '' : 'bare'}`}
      onClick={props.onClick}
      disabled={props.disabled}
      aria-label={props.label}
      aria-pressed={props.pressed}
      title={props.title ?? props.label}
    >
      {props.icon && <Icon name={props.icon} size={14} />}
      {props.children}
    </button>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

function hintOf(found: problem): string {
  if (found.code === 'too_wide' || found.status === 503 && /wide|timeout/.test(found.code)) {
    return 'The search took longer than 2 s. Narrow it by a queue, a state or a time.';
  }
  if (found.status === 403) {
    return `Your role, ${whoami.value?.role ?? 'none'}, does not include this.`;
  }
  if (found.status === 0) return 'It is tried again while this page is open.';
  return '';
}

export function Problem({ of, retry }: { of: problem | null; retry?: () => void }) {
  if (!of) return null;
  return (
    <div class="problem" role="alert">
      <Icon name="failures" />
      <div>
        <strong>{of.title}</strong>
        {of.detail && of.detail !== of.title && <p>{of.detail}</p>}
        {of.errors.map((each) => (
          <p>
            {each.where && <code>{each.where}</code>} expected {each.expected}
            {each.got !== undefined && <>, got <code>{String(each.got)}</code></>}
          </p>
        ))}
        {hintOf(of) && <p>{hintOf(of)}</p>}
        {of.request_id && <p class="dim mono">request {of.request_id}</p>}
      </div>
      {retry && <Button kind="quiet" onClick={retry}>Try again</Button>}
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading" aria-busy="true">
      <i /><i /><i /><i />
      <span class="hidden">Loading</span>
    </div>
  );
}

/// Copies on plain HTTP, too, where the clipboard interface is missing.
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'hidden';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast('Copied');
}

export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  return <Button kind="quiet" icon="copy" label={label} onClick={() => void copyText(text)} />;
}

/// The same thing for the terminal: every screen teaches its command.
export function CopyAs({ ways }: { ways: [string, string][] }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="menu" onFocusOut={(e) => {
      if (!(e.currentTarget as Element).contains(e.relatedTarget as Node)) setOpen(false);
    }} onKeyDown={(e) => e.key === 'Escape' && setOpen(false)}>
      <button type="button" class="button plain" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="copy" size={14} /> Copy as
      </button>
      {open && (
        <div class="menu-list">
          {ways.map(([name, text]) => (
            <button type="button" title={text} onClick={() => { setOpen(false); void copyText(text); }}>
              <span>{name}</span>
              <code>{text}</code>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/// Tabs that live in the URL.
export function Tabs(props: {
  name: string;
  tabs: [string, ComponentChildren][];
  label: string;
}) {
  const chosen = current.value.get(props.name) || props.tabs[0]![0];
  return (
    <nav class="tabs" aria-label={props.label}>
      {props.tabs.map(([value, shown], index) => (
        <a
          href={hrefWith(props.name, index === 0 ? '' : value)}
          aria-current={value === chosen ? 'page' : undefined}
          onClick={(e) => {
            if (e.metaKey || e.ctrlKey) return;
            e.preventDefault();
            setQuery({ [props.name]: index === 0 ? '' : value });
          }}
        >
          {shown}
        </a>
      ))}
    </nav>
  );
}

export function hrefWith(name: string, value: string): string {
  const query = Object.fromEntries(current.value.query);
  return link(current.value.path, { ...query, [name]: value });
}

export function JobLink({ id }: { id: unknown }) {
  if (id === null || id === undefined || id === '') return <span class="dim">–</span>;
  return <a class="mono" href={link(`jobs/${segment(id)}`)}>{String(id)}</a>;
}

export function QueueLink({ name }: { name: unknown }) {
  if (!name) return <span class="dim">–</span>;
  return <a href={link(`queues/${segment(name)}`)}>{String(name)}</a>;
}

/// Name and value, as a description list.
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  const shown = rows.filter(([, v]) => v !== null && v !== undefined && v !== '' && v !== false);
  return (
    <dl class="facts">
      {shown.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Figure(props: {
  name: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  href?: string;
  tone?: string;
}) {
  const inner = (
    <>
      <span class="figure-name">{props.name}</span>
      <span class={`figure-value ${props.tone ?? ''}`}>{props.value}</span>
      {props.note && <span class="figure-note">{props.note}</span>}
    </>
  );
  return props.href ? <a class="figure" href={props.href}>{inner}</a> : <div class="figure">{inner}</div>;
}

/// A share of a whole, with its words beside it.
export function Meter({ value, of, tone, label }: {
  value: number; of: number; tone?: string; label: string;
}) {
  const share = of > 0 ? Math.min(1, Math.max(0, value / of)) : 0;
  return (
    <span class="meter" role="img" aria-label={label} title={label}>
      <i class={tone ?? 'running'} style={{ width: `${share * 100}%` }} />
    </span>
  );
}

export function Stack({ parts, label }: { parts: [string, number][]; label: string }) {
  const sum = parts.reduce((all, [, n]) => all + n, 0);
  return (
    <span class="meter stack" role="img" aria-label={label} title={label}>
      {sum > 0 && parts.filter(([, n]) => n > 0).map(([tone, n]) => (
        <i class={tone} style={{ width: `${(n / sum) * 100}%` }} />
      ))}
    </span>
  );
}

export function Spark({ values, label, tone = 'running' }: {
  values: number[]; label: string; tone?: string;
}) {
  const most = Math.max(1e-9, ...values);
  const step = values.length > 1 ? 80 / (values.length - 1) : 80;
  const points = values.map((v, i) => `${(i * step).toFixed(1)},${(19 - (v / most) * 17).toFixed(1)}`);
  return (
    <svg class={`spark ${tone}`} width="80" height="20" viewBox="0 0 80 20" role="img" aria-label={label}>
      <title>{label}</title>
      {values.length > 1 && <polygon points={`0,20 ${points.join(' ')} 80,20`} />}
      {values.length > 1 && <polyline points={points.join(' ')} />}
    </svg>
  );
}
