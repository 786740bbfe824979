import { signal } from '@preact/signals';
import { problem, whenTokenChanges } from '../core/api';
import { Icon } from './icons';

export type notice = { id: number; text: string; tone: string; detail?: string; action?: [string, () => void] };
const notices = signal<notice[]>([]);
let last = 0;
whenTokenChanges(() => (notices.value = []));

export function dismiss(id: number): void {
  notices.value = notices.value.filter((each) => each.id !== id);
}

/// One line at the lower edge, read out politely. What failed stays until it is closed.
export function toast(
  text: string,
  more: { tone?: string; detail?: string; action?: [string, () => void] } = {},
): void {
  const id = ++last;
  notices.value = [...notices.value.slice(-3), { id, text, tone: more.tone ?? 'completed', ...more }];
  if (more.tone !== 'dead') setTimeout(() => dismiss(id), more.action ? 10_000 : 4_000);
}

/// What the server said, with its hint.
export function toastProblem(what: string, failure: unknown): void {
  const found = failure instanceof problem ? failure : null;
  const detail = found ? found.detail || found.title : String((failure as Error).message);
  toast(what, { tone: 'dead', detail });
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {notices.value.map((each) => (
        <div class={`toast ${each.tone}`} key={each.id}>
          <i class="dot" aria-hidden="true" />
          <div>
            <strong>{each.text}</strong>
            {each.detail && <p>{each.detail}</p>}
          </div>
          {each.action && (
            <button
              type="button"
              class="button quiet"
              onClick={() => {
                dismiss(each.id);
                each.action![1]();
              }}
            >
              {each.action[0]}
            </button>
          )}
          <button type="button" class="button quiet bare" aria-label="Close" onClick={() => dismiss(each.id)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}
