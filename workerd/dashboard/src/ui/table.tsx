import { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { row } from '../core/api';
import { count } from '../core/format';
import { useKeys } from '../core/keys';
import { go } from '../core/router';
import { Button } from './parts';

export type column = {
  name: string;
  title: string;
  render: (r: row) => ComponentChildren;
  /// Right-aligned figures.
  figure?: boolean;
  /// Takes what is left of the width, cut off at the end.
  wide?: boolean;
  /// Left out below 1100 px.
  minor?: boolean;
  /// Beside the first column when rows become cards.
  lead?: boolean;
  sort?: (r: row) => number | string;
};

export type selection = { chosen: Set<string>; set: (next: Set<string>) => void };

/// Rows with a cursor (j, k, Enter), a selection (x) and, below 700 px, as cards.
export function Table(props: {
  label: string;
  columns: column[];
  rows: row[];
  id: (r: row) => string;
  open?: (r: row) => string;
  select?: selection;
  keys?: boolean;
  tone?: (r: row) => string;
  sorted?: { by: string; down: boolean; set: (by: string) => void };
  /// Rows at first, and what they are called; the others when somebody asks for them.
  most?: [number, string];
}) {
  const [cursor, setCursor] = useState(-1);
  const body = useRef<HTMLTableSectionElement>(null);
  const last = useRef(-1);
  const [whole, setWhole] = useState(false);
  const { id, open, select, most } = props;
  const hidden = most && !whole ? Math.max(0, props.rows.length - most[0]) : 0;
  const rows = hidden ? props.rows.slice(0, most![0]) : props.rows;
  const keys = props.keys ?? !!open;
  useEffect(() => {
    if (cursor >= 0) body.current?.rows[cursor]?.scrollIntoView({ block: 'nearest' });
  }, [cursor]);
  const toggle = (index: number, range: boolean) => {
    if (!select || !rows[index]) return;
    const next = new Set(select.chosen);
    const on = !next.has(id(rows[index]!));
    const from = range && last.current >= 0 ? Math.min(last.current, index) : index;
    const to = range && last.current >= 0 ? Math.max(last.current, index) : index;
    for (let i = from; i <= to; i++) {
      if (on) next.add(id(rows[i]!));
      else next.delete(id(rows[i]!));
    }
    last.current = index;
    select.set(next);
  };
  const group = 'Rows';
  useKeys(
    keys
      ? [
          { keys: 'j', what: 'Next row', group, run: () => setCursor((c) => Math.min(rows.length - 1, c + 1)) },
          { keys: 'k', what: 'Row before', group, run: () => setCursor((c) => Math.max(0, c - 1)) },
          { keys: 'Enter', what: 'Open the row', group, run: () => {
            if (open && rows[cursor]) go(open(rows[cursor]!));
          } },
          ...(select
            ? [{ keys: 'x', what: 'Select the row', group, run: () => toggle(cursor, false) }]
            : []),
        ]
      : [],
    [rows, cursor, keys, select?.chosen],
  );
  const all = select && rows.length > 0 && rows.every((r) => select.chosen.has(id(r)));
  return (
    <div class="table-frame">
      <table class="table" aria-label={props.label}>
        <thead>
          <tr>
            {select && (
              <th class="tick" scope="col">
                <input
                  type="checkbox"
                  aria-label="Select all rows shown"
                  checked={all}
                  onChange={() => select.set(all ? new Set() : new Set(rows.map(id)))}
                />
              </th>
            )}
            {props.columns.map((c) => (
              <th scope="col" class={classOf(c)} key={c.name}
                aria-sort={props.sorted?.by === c.name
                  ? props.sorted.down ? 'descending' : 'ascending' : undefined}>
                {c.sort && props.sorted ? (
                  <button type="button" onClick={() => props.sorted!.set(c.name)}>{c.title}</button>
                ) : c.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((r, index) => (
            <tr
              key={id(r)}
              class={`${index === cursor ? 'cursor' : ''} ${props.tone?.(r) ?? ''} ${open ? 'opens' : ''}`}
              aria-selected={select ? select.chosen.has(id(r)) : undefined}
              onClick={(e) => {
                if (!open || (e.target as Element).closest('a, button, input, label')) return;
                if (getSelection()?.toString()) return;
                go(open(r));
              }}
            >
              {select && (
                <td class="tick">
                  <input
                    type="checkbox"
                    aria-label={`Select ${id(r)}`}
                    checked={select.chosen.has(id(r))}
                    onClick={(e) => {
                      e.preventDefault();
                      toggle(index, e.shiftKey);
                    }}
                  />
                </td>
              )}
              {props.columns.map((c) => (
                <td class={classOf(c)} data-title={c.title} key={c.name}>{c.render(r)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {hidden > 0 && <div class="more"><Button onClick={() => setWhole(true)}>{count(hidden)} more {most![1]}</Button></div>}
    </div>
  );
}

function classOf(c: column): string {
  return [c.figure && 'figure-cell', c.wide && 'wide', c.minor && 'minor', c.lead && 'lead']
    .filter(Boolean)
    .join(' ');
}
