import { json_text, readJson } from './json';
import { base } from './router';
import { signal } from '@preact/signals';

// The one door to the server. Nothing is shown that did not come through it, with the token of
// whoever looks.

export type row = Record<string, any>;
export type page = { items: row[]; next: string | null; [more: string]: any };
export type query = Record<string, string | number | boolean | undefined | null>;

/// What users wrote: kept as the text it came as.
const written = new Set(['payload', 'output', 'meta', 'data', 'result', 'sample', 'detail', 'graph_meta']);

const stored = 'libqueue.token';
export const token = signal<string>(sessionStorage.getItem(stored) ?? '');

const forgetting: (() => void)[] = [];

/// Runs when another looks, or nobody: what one was shown must not be there for the next. Whoever
/// keeps something outside of a component says here how it goes.
export function whenTokenChanges(run: () => void): void {
  forgetting.push(run);
}

export function setToken(text: string): void {
  if (text === token.value) return;
  token.value = text;
  if (text) sessionStorage.setItem(stored, text);
  else sessionStorage.removeItem(stored);
  for (const run of forgetting) run();
}

export const refusal = signal<string>('');

/// A token that worked does not any more, whichever request was told so. `used` may be the one of
/// somebody who has left meanwhile.
export function refused(used: string): void {
  if (!used || used !== token.value) return;
  refusal.value = 'Your token has expired or was revoked.';
  setToken('');
}

/// For answers to somebody who has left: nobody is told.
const unheard = new Promise<never>(() => undefined);

/// An answer that is no success, as the server words it (RFC 9457).
export class problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: { where?: string; expected?: string; got?: string }[] = [],
    readonly request_id: string = '',
  ) {
    super(detail || title);
  }
}

export function apiUrl(path: string, query: query = {}): string {
  const wanted = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') wanted.set(name, String(value));
  }
  const text = wanted.toString();
  return `${base}api/v1${path}${text ? `?${text}` : ''}`;
}

export function headers(more: Record<string, string> = {}): Record<string, string> {
  return token.value ? { authorization: `Bearer ${token.value}`, ...more } : more;
}

async function problemOf(response: Response): Promise<problem> {
  let body: row = {};
  const text = await response.text().catch(() => '');
  try {
    body = readJson(text);
  } catch {
    // A proxy's page, or nothing.
  }
  return new problem(
    response.status,
    String(body.code ?? ''),
    String(body.title ?? `HTTP ${response.status}`),
    body.detail instanceof json_text ? body.detail.text : String(body.detail ?? ''),
    Array.isArray(body.errors) ? body.errors : [],
    String(body.request_id ?? response.headers.get('x-request-id') ?? ''),
  );
}

export class options {
  query?: query;
  body?: unknown;
  /// Sent as it is: edited payloads keep their digits.
  text?: string;
  signal?: AbortSignal;
  key?: string;
  /// Asks who the token is: its refusal is the answer.
  door?: boolean;
}

type answer = { text: string; headers: Headers };

async function send(method: string, path: string, how: options): Promise<answer> {
  const used = token.value;
  const body = how.text ?? (how.body === undefined ? undefined : JSON.stringify(how.body));
  const extra: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) extra['content-type'] = 'application/json';
  if (how.key) extra['idempotency-key'] = how.key;
  let response: Response;
  let found: problem | null = null;
  let text = '';
  try {
    response = await fetch(apiUrl(path, how.query), {
      method,
      headers: headers(extra),
      body,
      signal: how.signal,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
    if (response.ok) text = await response.text();
    else found = await problemOf(response);
  } catch (failure) {
    if (token.value !== used) return unheard;
    if ((failure as Error).name === 'AbortError') throw failure;
    throw new problem(0, 'unreachable', 'workerd does not answer', 'It is tried again.');
  }
  if (token.value !== used) return unheard;
  if (found?.status === 401 && used && !how.door) {
    refused(used);
    return unheard;
  }
  if (found) throw found;
  return { text, headers: response.headers };
}

export async function call(method: string, path: string, how: options = {}): Promise<any> {
  const { text } = await send(method, path, how);
  return text ? readJson(text, written) : null;
}

/// One page of lines, and where the next begins.
export async function getLines(path: string, query: query): Promise<{ text: string; next: string }> {
  const found = await send('GET', path, { query });
  return { text: found.text, next: found.headers.get('x-next-cursor') ?? '' };
}

export function get(path: string, query: query = {}, signal?: AbortSignal): Promise<any> {
  return call('GET', path, { query, signal });
}

export function readEvent(text: string): any {
  return readJson(text, written);
}

/// Rows of a list, whether it came as a page, as a plain array or as one named member.
export function itemsOf(answer: any, member?: string): row[] {
  if (Array.isArray(answer)) return answer;
  const inner = member ? answer?.[member] : undefined;
  if (inner !== undefined) return itemsOf(inner);
  return Array.isArray(answer?.items) ? answer.items : [];
}

/// For POSTs that a lost answer must not repeat. crypto.randomUUID is missing on plain HTTP.
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return 'dash-' + Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
