import { useEffect, useRef, useState } from 'preact/hooks';
import { get, itemsOf } from '../core/api';
import { termAt, terms, without, words } from '../core/filter';
import { useKeys } from '../core/keys';
import { Icon } from './icons';
import { Button } from './parts';

type offer = { text: string; note: string };

/// What fits the term under the cursor: words of the grammar, and values the server knows.
function local(term: string): offer[] {
  const negated = term.startsWith('-') ? '-' : '';
  const body = term.slice(negated.length);
  const colon = body.indexOf(':');
  if (colon < 0) {
    return words
      .filter((w) => w.name.startsWith(body.toLowerCase()))
      .map((w) => ({ text: negated + w.name + (w.name.endsWith('.') ? '' : ':'), note: w.means }));
  }
  const word = words.find((w) => w.name === body.slice(0, colon));
  const parts = body.slice(colon + 1).split(',');
  const value = parts.pop() ?? '';
  return (word?.values ?? [])
    .filter((v) => v.startsWith(value) && !parts.includes(v))
    .map((v) => ({ text: negated + body.slice(0, colon + 1) + [...parts, v].join(','), note: '' }));
}

async function remote(term: string, signal: AbortSignal): Promise<offer[]> {
  const answer = await get('/filters/complete', { prefix: term }, signal);
  return itemsOf(answer)
    .map((each) => ({ text: String(each.text ?? each.value ?? each.name ?? each), note: String(each.note ?? '') }))
    .filter((each) => each.text && each.text !== term);
}

/// One line of text over one grammar, with its terms as chips that can be taken out.
export function FilterBar({ value, change, label }: {
  value: string; change: (text: string) => void; label: string;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [offers, setOffers] = useState<offer[]>([]);
  const [chosen, setChosen] = useState(-1);
  const [open, setOpen] = useState(false);
  const [cursor, setCursor] = useState(0);
  useEffect(() => setText(value), [value]);
  useKeys([{ keys: '/', what: 'Filter', group: 'This screen', run: () => input.current?.focus() }], []);
  const [from, to] = termAt(text, cursor);
  const term = text.slice(from, to);
  useEffect(() => {
    if (!open) return;
    setChosen(-1);
    setOffers(local(term));
    if (term.length < 2) return;
    const control = new AbortController();
    const timer = setTimeout(() => {
      remote(term, control.signal)
        .then((found) => setOffers((old) => {
          const known = new Set(old.map((o) => o.text));
          return [...old, ...found.filter((o) => !known.has(o.text))].slice(0, 12);
        }))
        .catch(() => undefined);
    }, 150);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [term, open]);
  const take = (each: offer) => {
    const more = each.text.endsWith(':') || each.text.endsWith('.');
    const next = text.slice(0, from) + each.text + (more ? '' : ' ') + text.slice(to).trimStart();
    setText(next);
    setCursor(from + each.text.length + (more ? 0 : 1));
    input.current?.focus();
  };
  const apply = (next: string) => {
    setOpen(false);
    setText(next);
    change(next.trim());
  };
  const key = (e: KeyboardEvent) => {
    if (open && offers.length && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
      e.preventDefault();
      const step = e.key === 'ArrowDown' ? 1 : -1;
      setChosen((c) => (c + step + offers.length + 1) % (offers.length + 1) );
    } else if (open && e.key === 'Tab' && offers.length && term && !e.shiftKey) {
      e.preventDefault();
      take(offers[Math.min(Math.max(0, chosen), offers.length - 1)]!);
    } else if (e.key === 'Enter') {
      e.preventDefault();
      if (open && chosen >= 0 && offers[chosen]) take(offers[chosen]!);
      else apply(text);
    } else if (e.key === 'Escape') {
      if (open) setOpen(false);
      else input.current?.blur();
    }
  };
  const found = terms(value);
  return (
    <div class="filter">
      <div class="filter-line" role="search">
        <Icon name="search" size={14} />
        <input
          ref={input}
          type="text"
          class="mono"
          role="combobox"
          aria-label={label}
          aria-expanded={open && offers.length > 0}
          aria-controls="filter-offers"
          aria-activedescendant={open && chosen >= 0 ? `filter-offer-${chosen}` : undefined}
          aria-autocomplete="list"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="state:dead queue:mail age:>10m"
          value={text}
          onFocus={() => setOpen(true)}
          onBlur={() => setTimeout(() => setOpen(false), 150)}
          onInput={(e) => {
            setText(e.currentTarget.value);
            setCursor(e.currentTarget.selectionStart ?? 0);
            setOpen(true);
          }}
          onKeyUp={(e) => setCursor(e.currentTarget.selectionStart ?? 0)}
          onKeyDown={key}
        />
        {text && <Button kind="quiet" icon="close" label="Clear the filter" onClick={() => apply('')} />}
        <Button onClick={() => apply(text)}>Filter</Button>
      </div>
      <ul class="offers" id="filter-offers" role="listbox" aria-label="Suggestions"
        hidden={!open || !offers.length}>
        {offers.map((each, index) => (
          <li
            role="option"
            id={`filter-offer-${index}`}
            aria-selected={index === chosen}
            onMouseDown={(e) => {
              e.preventDefault();
              take(each);
            }}
          >
            <code>{each.text}</code> <span>{each.note}</span>
          </li>
        ))}
      </ul>
      {found.length > 0 && (
        <ul class="chips" aria-label="Terms of the filter">
          {found.map((each, index) => (
            <li class={`chip ${each.negated ? 'negated' : ''}`}>
              {each.name && <span>{each.negated ? 'not ' : ''}{each.name}</span>}
              <b>{each.value}</b>
              <button type="button" aria-label={`Take out ${each.text}`}
                onClick={() => apply(without(value, index))}>
                <Icon name="close" size={10} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
