import { useEffect, useRef, useState } from 'preact/hooks';
import { row } from '../core/api';
import { bindings } from '../core/keys';
import { overview } from '../core/live';
import { go, link, segment } from '../core/router';
import { views } from '../core/settings';
import { closeDialog, openDialog } from './dialog';
import { Icon, icon_name } from './icons';
import { screens } from './screens';
import { queuesOf } from '../core/model';

type entry = { name: string; note: string; icon: icon_name; run: () => void };

function entries(text: string): entry[] {
  const wanted = text.trim();
  const low = wanted.toLowerCase();
  const found: entry[] = [];
  if (/^\d+$/.test(wanted)) {
    found.push({ name: `Job ${wanted}`, note: 'open', icon: 'jobs', run: () => go(link(`jobs/${wanted}`)) });
    found.push({ name: `Batch ${wanted}`, note: 'open', icon: 'batches', run: () => go(link(`batches/${wanted}`)) });
  }
  for (const each of screens()) {
    found.push({ name: each.title, note: each.keys, icon: each.icon, run: () => go(link(each.path)) });
  }
  for (const each of queuesOf(overview.value) as row[]) {
    found.push({ name: String(each.queue), note: 'queue', icon: 'queues',
      run: () => go(link(`queues/${segment(each.queue)}`)) });
  }
  for (const each of views.value) {
    found.push({ name: each.name, note: 'saved view', icon: 'star',
      run: () => go(link(each.path) + each.query) });
  }
  for (const each of bindings()) {
    if (/^(g .|mod k|j|k|x|Enter)$/.test(each.keys)) continue;
    found.push({ name: each.what, note: each.keys, icon: 'bolt', run: each.run });
  }
  const fits = found.filter((each) => each.name.toLowerCase().includes(low));
  if (wanted && !/^\d+$/.test(wanted)) {
    fits.push({ name: `Jobs: ${wanted}`, note: 'filter', icon: 'search',
      run: () => go(link('jobs', { filter: wanted })) });
  }
  return fits.slice(0, 14);
}

function Palette() {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const found = entries(text);
  useEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' }), [chosen]);
  const take = (each: entry | undefined) => {
    if (!each) return;
    closeDialog();
    // The dialog must be gone before a command opens its own.
    setTimeout(each.run);
  };
  return (
    <div class="palette">
      <h2 id="dialog-title" class="hidden">Go to</h2>
      <input
        type="text"
        role="combobox"
        aria-label="Job number, queue, screen or command"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={`palette-${chosen}`}
        placeholder="Job number, queue, screen, command or filter"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(e) => {
          setText(e.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
            e.preventDefault();
            const step = e.key === 'ArrowDown' ? 1 : -1;
            setChosen((c) => (c + step + found.length) % Math.max(1, found.length));
          } else if (e.key === 'Enter') {
            e.preventDefault();
            take(found[chosen]);
          }
        }}
      />
      <ul ref={list} id="palette-list" role="listbox" aria-label="Found">
        {found.map((each, index) => (
          <li id={`palette-${index}`} role="option" aria-selected={index === chosen}
            onMouseMove={() => setChosen(index)} onClick={() => take(each)}>
            <Icon name={each.icon} size={14} />
            <span>{each.name}</span>
            <kbd>{each.note}</kbd>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function openPalette(): void {
  openDialog(<Palette key="palette" />);
}

function Help() {
  const groups = new Map<string, [string, string][]>();
  for (const each of bindings()) {
    const list = groups.get(each.group) ?? [];
    if (!list.some(([keys]) => keys === each.keys)) list.push([each.keys, each.what]);
    groups.set(each.group, list);
  }
  return (
    <div class="help">
      <h2 id="dialog-title">Keys</h2>
      <div class="help-groups">
        {[...groups].map(([group, list]) => (
          <section>
            <h3>{group}</h3>
            <dl>
              {list.map(([keys, what]) => (
                <div>
                  <dt>{keys.split(' ').map((key) => <kbd>{key === 'mod' ? '⌘/Ctrl' : key}</kbd>)}</dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <footer>
        <button type="button" class="button plain" data-focus onClick={closeDialog}>Close</button>
      </footer>
    </div>
  );
}

export function openHelp(): void {
  openDialog(<Help key="help" />);
}
