import { ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { itemsOf, refusal } from '../core/api';
import { number } from '../core/format';
import { useKeys } from '../core/keys';
import { operations, overview, paused, state, togglePause } from '../core/live';
import { current, go, link } from '../core/router';
import { can, entering, readOnly, signIn, signOut, whoami } from '../core/session';
import { nextTheme, removeView, views } from '../core/settings';
import { judge, queuesOf } from '../core/model';
import { cancelOperation } from './actions';
import { OpenAlerts, useOpenAlerts } from './alerts';
import { DialogHost } from './dialog';
import { Icon } from './icons';
import { openHelp, openPalette } from './palette';
import { Button, Meter } from './parts';
import { screens } from './screens';
import { Toasts } from './toast';
import { count } from '../core/format';

const liveWords: Record<string, string> = {
  off: 'Off', connecting: 'Connecting', live: 'Live', paused: 'Paused', away: 'No connection',
};

function LivePill() {
  const now = state.value;
  return (
    <button type="button" class={`pill live-${now}`} onClick={togglePause} aria-pressed={paused.value}
      title={paused.value ? 'Go on (p)' : 'Pause (p)'}>
      <i class="dot" aria-hidden="true" />
      {liveWords[now]}
      <Icon name={paused.value ? 'play' : 'pause'} size={10} />
    </button>
  );
}

/// Operations that go on, wherever the person is.
function Dock() {
  const going = Object.values(operations.value).filter((each) =>
    ['pending', 'running', 'cancelling'].includes(String(each.state)),
  );
  if (!going.length) return null;
  return (
    <aside class="dock" aria-label="Operations under way">
      {going.slice(0, 3).map((each) => {
        const of = number(each.matched) ?? 0;
        const done = (number(each.done) ?? 0) + (number(each.failed) ?? 0) + (number(each.skipped) ?? 0);
        return (
          <div class="dock-row" key={String(each.id)}>
            <a href={link(`operations/${each.id}`)}>{String(each.action)} · {String(each.state)}</a>
            <Meter value={done} of={of} label={`${count(done)} of ${count(of)}`} />
            <span class="mono">{count(done)} / {count(of)}</span>
            {each.state !== 'cancelling' && can('operations.run') && (
              <Button kind="quiet" onClick={() => cancelOperation(each.id)}>
                {each.state === 'pending' ? 'Undo' : 'Stop'}
              </Button>
            )}
          </div>
        );
      })}
    </aside>
  );
}

function Nav({ close }: { close: () => void }) {
  const path = current.value.parts[0] ?? '';
  const bad = queuesOf(overview.value).filter((q) => judge(q).tone === 'bad').length;
  const open = useContext(OpenAlerts)!;
  const firing = itemsOf(open.data).filter((a) => !a.acknowledged_at).length;
  const marks: Record<string, number> = { '': bad, alerts: firing };
  return (
    <nav class="nav" aria-label="Screens" id="nav">
      <ul>
        {screens().map((each) => (
          <li>
            <a href={link(each.path)} aria-current={each.path === path ? 'page' : undefined} onClick={close}
              title={each.keys}>
              <Icon name={each.icon} />
              <span>{each.title}</span>
              {(marks[each.path] ?? 0) > 0 && (
                <b class="nav-mark" aria-label={`${marks[each.path]} need attention`}>{marks[each.path]}</b>
              )}
            </a>
          </li>
        ))}
      </ul>
      {views.value.length > 0 && (
        <>
          <h2>Saved views</h2>
          <ul>
            {views.value.map((each) => (
              <li class="nav-view">
                <a href={link(each.path) + each.query} onClick={close}>
                  <Icon name="star" size={12} /><span>{each.name}</span>
                </a>
                <button type="button" aria-label={`Forget ${each.name}`} onClick={() => removeView(each.name)}>
                  <Icon name="close" size={10} />
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

export function Shell({ children, full }: { children: ComponentChildren; full: boolean }) {
  const [open, setOpen] = useState(false);
  const group = 'Everywhere';
  useKeys(
    [
      { keys: 'mod k', what: 'Go to a job, queue, screen or command', group, run: openPalette },
      { keys: '?', what: 'Keys', group, run: openHelp },
      { keys: 't', what: 'Dark or light', group, run: nextTheme },
      { keys: 'p', what: 'Pause or go on', group, run: togglePause },
      ...screens().map((each) => ({
        keys: each.keys, what: each.title, group: 'Go to', run: () => go(link(each.path)),
      })),
    ],
    [whoami.value],
  );
  const who = whoami.value!;
  const alerts = useOpenAlerts();
  useEffect(() => setOpen(false), [current.value.path]);
  return (
    <div class={`shell ${open ? 'nav-open' : ''} ${full ? 'full' : ''}`}>
      <a class="skip" href="#main" onClick={(e) => {
        e.preventDefault();
        document.getElementById('main')?.focus();
      }}>Skip to the content</a>
      <header class="top">
        <button type="button" class="button quiet bare nav-toggle" aria-label="Screens" aria-expanded={open}
          aria-controls="nav" onClick={() => setOpen(!open)}>
          <Icon name="menu" />
        </button>
        <a class="brand" href={link('')}><i aria-hidden="true"><b /><b /><b /></i>libqueue</a>
        {who.instance && !/^\d+$/.test(String(who.instance)) && <span class="instance" title="Installation">{String(who.instance)}</span>}
        {who.dev && <span class="instance dev">dev</span>}
        <span class="grow" />
        <button type="button" class="search-button" onClick={openPalette}>
          <Icon name="search" size={14} /><span>Go to</span><kbd>⌘K</kbd>
        </button>
        <LivePill />
        <Button kind="quiet" icon="moon" label="Dark or light" onClick={nextTheme} />
        <Button kind="quiet" icon="help" label="Keys" onClick={openHelp} />
        <details class="who" onFocusOut={(e) => {
          if (!(e.currentTarget as Element).contains(e.relatedTarget as Node)) e.currentTarget.open = false;
        }}>
          <summary aria-label={`Signed in as ${who.actor}`}><b>{String(who.actor ?? '?').slice(0, 1).toUpperCase()}</b></summary>
          <div class="menu-list">
            <p><strong>{String(who.actor)}</strong><br />{String(who.role)}
              {who.tenant_id ? <><br /><span class="mono">tenant {String(who.tenant_id).slice(0, 8)}</span></> : ', all tenants'}</p>
            <button type="button" onClick={signOut}>Sign out</button>
          </div>
        </details>
      </header>
      <OpenAlerts.Provider value={alerts}>
      <Nav close={() => setOpen(false)} />
      <main id="main" tabIndex={-1}>
        {readOnly.value && <p class="banner">Read-only: this browser offers no actions. <a href={link('settings')}>Change</a></p>}
        {state.value === 'away' && (
          <p class="banner warn" role="status">workerd does not answer. What is shown may be old; it is tried again.</p>
        )}
        {children}
      </main>
      </OpenAlerts.Provider>
      <Dock />
      <Toasts />
      <DialogHost />
    </div>
  );
}

export function SignIn() {
  const [text, setText] = useState('');
  return (
    <main class="sign-in">
      <form onSubmit={(e) => {
        e.preventDefault();
        void signIn(text);
      }}>
        <span class="brand"><i aria-hidden="true"><b /><b /><b /></i>libqueue</span>
        <h1>Sign in</h1>
        <label for="token">Access token</label>
        <input id="token" type="password" autocomplete="off" spellcheck={false} value={text}
          onInput={(e) => setText(e.currentTarget.value)} />
        {refusal.value && <p class="failure" role="alert">{refusal.value}</p>}
        <Button type="submit" kind="main" disabled={entering.value || !text.trim()}>Sign in</Button>
        <p class="hint">
          Make one on the server: <code>qctl tokens create --role viewer</code>. It is kept in this tab only
          and gone when the tab is closed.
        </p>
      </form>
    </main>
  );
}

