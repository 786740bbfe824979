import { signal } from '@preact/signals';

// Every screen is a URL below <base>, and what a screen shows is in it: a link can be sent to a
// colleague, the back button works.

/// "/" or "/queue/": workerd writes it into the page it serves.
export const base = new URL(document.baseURI).pathname.replace(/[^/]*$/, '');

export class place {
  readonly parts: string[];
  constructor(
    readonly path: string,
    readonly query: URLSearchParams,
  ) {
    this.parts = path.split('/').filter(Boolean).map(safeDecode);
  }
  get(name: string): string {
    return this.query.get(name) ?? '';
  }
}

/// What is no encoding is taken as it stands.
export function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function here(): place {
  const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : '';
  // Without slashes in front: "//jobs" would be a link to another host.
  return new place(path.replace(/^\/+/, ''), new URLSearchParams(location.search));
}

export const current = signal(here());

/// A URL below <base>: link('jobs', { filter: 'state:dead' }).
export function link(path: string, query: Record<string, string | undefined> = {}): string {
  const wanted = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) wanted.set(name, value);
  const text = wanted.toString();
  return base + path + (text ? `?${text}` : '');
}

export function segment(text: unknown): string {
  return encodeURIComponent(String(text));
}

export function go(url: string, replace = false): void {
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  const before = current.value.path;
  current.value = here();
  if (current.value.path !== before) scrollTo(0, 0);
}

/// Changes members of the query; an empty one is taken out. `replace` leaves no step in history.
export function setQuery(changes: Record<string, string>, replace = false): void {
  const query = new URLSearchParams(current.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  go(base + current.value.path + (text ? `?${text}` : ''), replace);
}

/// Links of ours change the screen instead of loading the page anew.
function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
  if (!anchor || anchor.target || anchor.hasAttribute('download')) return;
  if (anchor.origin !== location.origin || !anchor.pathname.startsWith(base)) return;
  if (anchor.getAttribute('href')!.startsWith('#')) return;
  event.preventDefault();
  go(anchor.href);
}

export function startRouter(): void {
  addEventListener('popstate', () => (current.value = here()));
  document.addEventListener('click', follow);
}
