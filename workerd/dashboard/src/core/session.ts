import { computed, signal } from '@preact/signals';
import { call, problem, row, setToken, token } from './api';

// Who looks, and what he may do. The server decides; what is hidden here is refused there, too.

export const whoami = signal<row | null>(null);
export const refusal = signal<string>('');
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

export async function signIn(text: string): Promise<boolean> {
  setToken(text.trim());
  refusal.value = '';
  try {
    whoami.value = await call('GET', '/whoami');
    return true;
  } catch (failure) {
    whoami.value = null;
    if (failure instanceof problem && failure.status === 401) {
      setToken('');
      refusal.value = text ? 'This token is not accepted: it is wrong, expired or revoked.' : '';
    } else {
      refusal.value = (failure as Error).message;
    }
    return false;
  }
}

export function signOut(): void {
  setToken('');
  whoami.value = null;
}

/// workerd --dev prints a link with #token=...; it must not stay in the address.
export function tokenOfLink(): string {
  const found = /(?:^#|&)token=([^&]+)/.exec(location.hash);
  if (!found) return token.value;
  history.replaceState(null, '', location.pathname + location.search);
  return decodeURIComponent(found[1]!);
}
