import { computed, signal } from '@preact/signals';
import { call, problem, refusal, row, setToken, token, whenTokenChanges } from './api';
import { safeDecode } from './router';

// Who looks, and what he may do. The server decides; what is hidden here is refused there, too.

export const whoami = signal<row | null>(null);
/// While a token is looked at.
export const entering = signal(false);
/// A switch of this browser: show everything, offer nothing.
export const readOnly = signal(localStorage.getItem('libqueue.read_only') === 'yes');

const rights = computed(() => new Set<string>(whoami.value?.rights ?? []));

export function can(right: string): boolean {
  if (readOnly.value && !right.endsWith('.read')) return false;
  return rights.value.has(right);
}

/// Any of those: what the API calls a thing may be finer than a button is.
export function canAny(...names: string[]): boolean {
  return names.some(can);
}

export const production = computed(() => whoami.value !== null && !whoami.value.dev);

whenTokenChanges(() => {
  whoami.value = null;
  entering.value = false;
});

const unknown = 'This token is not accepted: it is wrong, expired or revoked.';

export async function signIn(text: string): Promise<void> {
  const wanted = text.trim();
  // What no header can carry is no token.
  const possible = /^[\x21-\x7e]+$/.test(wanted);
  setToken(possible ? wanted : '');
  refusal.value = possible ? '' : unknown;
  if (!possible) return;
  entering.value = true;
  try {
    whoami.value = await call('GET', '/whoami', { door: true });
  } catch (failure) {
    const wrong = failure instanceof problem && failure.status === 401;
    if (wrong) setToken('');
    whoami.value = null;
    refusal.value = wrong ? unknown : (failure as Error).message;
  }
  entering.value = false;
}

export function signOut(): void {
  refusal.value = '';
  setToken('');
}

/// workerd --dev prints a link with #token=...; it must not stay in the address.
function tokenOfLink(): string {
  const found = /(?:^#|&)token=([^&]+)/.exec(location.hash);
  if (!found) return '';
  history.replaceState(null, '', location.pathname + location.search);
  return safeDecode(found[1]!);
}

/// With the token of the link, else with that of the tab.
export async function startSession(): Promise<void> {
  // Such a link followed in an open tab loads no page.
  addEventListener('hashchange', () => {
    const found = tokenOfLink();
    if (found) void signIn(found);
  });
  const found = tokenOfLink() || token.value;
  if (found) await signIn(found);
}
