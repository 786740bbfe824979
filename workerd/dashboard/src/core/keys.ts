import { useEffect } from 'preact/hooks';

// Keys, as one table: what a screen adds goes when the screen goes. Two keys in a row are written
// with a space: "g j".

export type binding = { keys: string; what: string; run: () => void; group: string };

const bound: binding[] = [];
let first = '';
let firstAt = 0;

export function bindings(): readonly binding[] {
  return bound;
}

export function bind(added: binding[]): () => void {
  bound.unshift(...added);
  return () => {
    for (const each of added) bound.splice(bound.indexOf(each), 1);
  };
}

export function useKeys(added: binding[], changes: unknown[]): void {
  useEffect(() => bind(added), changes);
}

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  if (!element?.matches) return false;
  return element.matches('input:not([type=checkbox]), textarea, select, [contenteditable]');
}

function pressed(event: KeyboardEvent): void {
  const palette = (event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k';
  if (!palette) {
    if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    // Enter and space belong to the link or button that has the focus.
    const own = (event.target as Element)?.closest?.('a, button, summary');
    if (own && (event.key === 'Enter' || event.key === ' ')) return;
  }
  const key = palette ? 'mod k' : event.key;
  const two = first && event.timeStamp - firstAt < 1200 ? `${first} ${key}` : '';
  const found = bound.find((each) => each.keys === two) ?? bound.find((each) => each.keys === key);
  first = key;
  firstAt = event.timeStamp;
  if (!found) return;
  event.preventDefault();
  first = '';
  found.run();
}

export function startKeys(): void {
  document.addEventListener('keydown', pressed);
}
