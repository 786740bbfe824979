import { effect, signal } from '@preact/signals';
import { zone } from './format';
import { readOnly } from './session';

// What a person chose for this browser. No secret is kept here.

export type theme = 'system' | 'light' | 'dark';

function kept<T extends string>(name: string, values: readonly T[]): T {
  const found = localStorage.getItem(`libqueue.${name}`) as T | null;
  return found !== null && values.includes(found) ? found : values[0]!;
}

export const theme = signal(kept<theme>('theme', ['system', 'light', 'dark']));
export const density = signal(kept('density', ['compact', 'roomy'] as const));
/// Counts up when colours change: charts are drawn anew.
export const colours = signal(0);
zone.value = kept('zone', ['local', 'utc'] as const);

export type view = { name: string; path: string; query: string };

function readViews(): view[] {
  try {
    const found = JSON.parse(localStorage.getItem('libqueue.views') ?? '[]');
    return Array.isArray(found) ? found.filter((v) => v && typeof v.name === 'string') : [];
  } catch {
    return [];
  }
}

/// Columns of the jobs that are not shown.
export const hiddenColumns = signal<string[]>(
  (localStorage.getItem('libqueue.hidden_columns') ?? 'tenant,created,finished').split(','),
);

export const views = signal<view[]>(readViews());

export function saveView(added: view): void {
  views.value = [...views.value.filter((v) => v.name !== added.name), added];
}

export function removeView(name: string): void {
  views.value = views.value.filter((v) => v.name !== name);
}

export function nextTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const shown = theme.value === 'system' ? (dark ? 'dark' : 'light') : theme.value;
  theme.value = shown === 'dark' ? 'light' : 'dark';
}

export function startSettings(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    localStorage.setItem('libqueue.theme', theme.value);
    colours.value = colours.peek() + 1;
  });
  effect(() => {
    document.documentElement.dataset.density = density.value;
    localStorage.setItem('libqueue.density', density.value);
  });
  effect(() => localStorage.setItem('libqueue.zone', zone.value));
  effect(() => localStorage.setItem('libqueue.hidden_columns', hiddenColumns.value.join(',')));
  effect(() => localStorage.setItem('libqueue.views', JSON.stringify(views.value)));
  effect(() => localStorage.setItem('libqueue.read_only', readOnly.value ? 'yes' : 'no'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colours.value++);
}
