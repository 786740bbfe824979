import { signal } from '@preact/signals';
import { instant } from './format';
import { event_reader } from './event_reader';
import { apiUrl, headers, itemsOf, readEvent, refused, row, token, whenTokenChanges } from './api';

// Server-sent events, read with fetch because EventSource cannot send a token. It stops while the
// tab is hidden or somebody paused it, and goes on after the last event it saw.

export type live_state = 'off' | 'connecting' | 'live' | 'paused' | 'away';
export const state = signal<live_state>('off');
export const paused = signal(false);
/// It was tried, and no stream comes now.
export const failing = signal(false);
export const overview = signal<any>(null);
/// Operations as the stream told them, the newest of each id.
export const operations = signal<Record<string, row>>({});
/// Counts up with each event of that name: what a screen shows is fetched anew.
export const beats = { overview: signal(0), operation: signal(0), alert: signal(0) };

let wanted = false;
let running: AbortController | null = null;
let lastId = '';
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function tell(found: row[]): void {
  if (!found.length) return;
  const next = { ...operations.value };
  for (const each of found) next[String(each.id)] = each;
  operations.value = next;
}

/// The overview names all that go on: another one has ended while nobody listened.
function forgetAllBut(open: row[]): void {
  const ids = new Set(open.map((each) => String(each.id)));
  const kept = Object.entries(operations.value).filter(
    ([id, each]) => ids.has(id) || each.finished_at || Date.now() - (instant(each.created_at) ?? 0) < 5000,
  );
  operations.value = Object.fromEntries(kept);
}

function take(name: string, text: string): void {
  let data: any;
  try {
    data = readEvent(text);
  } catch {
    return;
  }
  if (name === 'overview') {
    overview.value = data;
    beats.overview.value++;
    if (Array.isArray(data.operations)) forgetAllBut(data.operations);
    tell(itemsOf(data, 'operations'));
  } else if (name === 'operation') {
    tell(Array.isArray(data) || data.items ? itemsOf(data) : [data]);
    beats.operation.value++;
  } else if (name === 'alert') {
    beats.alert.value++;
  }
}

async function listen(control: AbortController): Promise<void> {
  const more: Record<string, string> = { accept: 'text/event-stream' };
  if (lastId) more['last-event-id'] = lastId;
  const used = token.value;
  const response = await fetch(apiUrl('/stream'), {
    headers: headers(more),
    signal: control.signal,
    cache: 'no-store',
    credentials: 'omit',
  });
  if (control.signal.aborted) return;
  if (response.status === 401) refused(used);
  if (!response.ok || !response.body) throw new Error(`stream: ${response.status}`);
  failures = 0;
  failing.value = false;
  state.value = 'live';
  const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const events = new event_reader(take);
  for (;;) {
    const piece = await text.read();
    // What had arrived before it was stopped is nobody's any more.
    if (control.signal.aborted) return;
    if (piece.done) throw new Error('stream: ended');
    events.feed(piece.value);
    lastId = events.id || lastId;
  }
}

function start(): void {
  if (running || !wanted || paused.value || document.hidden) return;
  const control = new AbortController();
  running = control;
  if (state.value !== 'away') state.value = 'connecting';
  listen(control).catch(() => {
    if (control.signal.aborted) return;
    running = null;
    failures++;
    failing.value = true;
    state.value = failures > 1 ? 'away' : 'connecting';
    // 0.5 s to 15 s, spread, so that a restart of workerd does not meet all viewers at once.
    const wait = Math.min(15_000, 500 * 2 ** Math.min(failures, 5)) * (0.5 + Math.random() / 2);
    timer = setTimeout(start, wait);
  });
}

function stop(): void {
  clearTimeout(timer);
  running?.abort();
  running = null;
}

export function startLive(): void {
  wanted = true;
  failures = 0;
  failing.value = false;
  start();
}

export function stopLive(): void {
  wanted = false;
  stop();
  state.value = 'off';
}

whenTokenChanges(() => {
  stopLive();
  overview.value = null;
  operations.value = {};
  lastId = '';
  paused.value = false;
});

export function togglePause(): void {
  paused.value = !paused.value;
  if (paused.value) {
    stop();
    state.value = 'paused';
  } else {
    start();
  }
}

document.addEventListener('visibilitychange', () => {
  if (!wanted || paused.value) return;
  if (document.hidden) stop();
  else start();
});
addEventListener('online', () => {
  if (!wanted || paused.value || state.value === 'live') return;
  stop();
  start();
});
