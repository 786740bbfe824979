import { signal } from '@preact/signals';
import { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { whenTokenChanges } from '../core/api';
import { Button } from './parts';

// One dialog at a time, native: focus stays inside, Escape closes.

const shown = signal<ComponentChildren>(null);

export function openDialog(content: ComponentChildren): void {
  shown.value = content;
}

export function closeDialog(): void {
  shown.value = null;
}
whenTokenChanges(closeDialog);

export function DialogHost() {
  const element = useRef<HTMLDialogElement>(null);
  const content = shown.value;
  // Before the next key: it belongs to the dialog already.
  useLayoutEffect(() => {
    const dialog = element.current;
    if (content && dialog && !dialog.open) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>('[data-focus], input, textarea, select, button')?.focus();
    }
  }, [content]);
  if (!content) return null;
  return (
    <dialog
      ref={element}
      aria-labelledby="dialog-title"
      onClose={closeDialog}
      onCancel={closeDialog}
      onClick={(e) => e.target === element.current && closeDialog()}
    >
      {content}
    </dialog>
  );
}

export type field = {
  name: string;
  label: string;
  value?: string;
  kind?: 'text' | 'area' | 'number' | 'select' | 'checkbox';
  options?: string[];
  required?: boolean;
  hint?: string;
};

export type question = {
  title: string;
  /// What happens, in plain words.
  consequence?: ComponentChildren;
  facts?: [string, ComponentChildren][];
  fields?: field[];
  /// Must be typed before the button works.
  confirm?: string;
  action: string;
  danger?: boolean;
  /// Throws what the server said; the dialog stays and shows it.
  run: (values: Record<string, string>) => Promise<void>;
  /// Looks first: how many it would be.
  preview?: (values: Record<string, string>) => Promise<ComponentChildren>;
};

function Field({ of, value, change }: { of: field; value: string; change: (v: string) => void }) {
  const id = `field-${of.name}`;
  const common = { id, required: of.required, 'aria-describedby': of.hint ? `${id}-hint` : undefined };
  const input = (e: Event) => change((e.currentTarget as HTMLInputElement).value);
  return (
    <div class={`field ${of.kind ?? 'text'}`}>
      <label for={id}>{of.label}</label>
      {of.kind === 'area' ? (
        <textarea {...common} class="mono" rows={12} spellcheck={false} value={value} onInput={input} />
      ) : of.kind === 'select' ? (
        <select {...common} value={value} onChange={input}>
          {of.options!.map((each) => <option value={each}>{each || '–'}</option>)}
        </select>
      ) : of.kind === 'checkbox' ? (
        <input
          {...common}
          type="checkbox"
          checked={value === 'yes'}
          onChange={(e) => change(e.currentTarget.checked ? 'yes' : '')}
        />
      ) : (
        <input {...common} type="text" inputMode={of.kind === 'number' ? 'decimal' : undefined}
          autocomplete="off" spellcheck={false} value={value} onInput={input} />
      )}
      {of.hint && <p class="hint" id={`${id}-hint`}>{of.hint}</p>}
    </div>
  );
}

function Question({ of }: { of: question }) {
  const start = Object.fromEntries((of.fields ?? []).map((f) => [f.name, f.value ?? '']));
  const [values, setValues] = useState<Record<string, string>>(start);
  const [typed, setTyped] = useState('');
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const [seen, setSeen] = useState<ComponentChildren>(null);
  const missing = (of.fields ?? []).some((f) => f.required && !values[f.name]?.trim());
  const blocked = busy || missing || (of.confirm !== undefined && typed !== of.confirm);
  const attempt = async (what: () => Promise<void>) => {
    setBusy(true);
    setFailure('');
    try {
      await what();
    } catch (found) {
      setFailure((found as Error).message);
    }
    setBusy(false);
  };
  const submit = (e: Event) => {
    e.preventDefault();
    if (blocked) return;
    void attempt(async () => {
      await of.run(values);
      closeDialog();
    });
  };
  return (
    <form class="question" onSubmit={submit}>
      <h2 id="dialog-title">{of.title}</h2>
      {of.consequence && <p>{of.consequence}</p>}
      {of.facts && (
        <dl class="facts narrow">
          {of.facts.map(([name, value]) => <div><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      )}
      {(of.fields ?? []).map((f) => (
        <Field of={f} value={values[f.name] ?? ''} change={(v) => {
          setValues({ ...values, [f.name]: v });
          setSeen(null);
        }} />
      ))}
      {of.confirm !== undefined && (
        <div class="field">
          <label for="field-confirm">Type <code>{of.confirm}</code> to go on</label>
          <input id="field-confirm" type="text" autocomplete="off" spellcheck={false} value={typed}
            onInput={(e) => setTyped(e.currentTarget.value)} />
        </div>
      )}
      {seen && <div class="preview" role="status">{seen}</div>}
      {failure && <p class="failure" role="alert">{failure}</p>}
      <footer>
        {of.preview && (
          <Button kind="quiet" disabled={busy || missing}
            onClick={() => void attempt(async () => setSeen(await of.preview!(values)))}>
            Dry run
          </Button>
        )}
        <span class="grow" />
        <Button onClick={closeDialog}>Cancel</Button>
        <Button type="submit" kind={of.danger ? 'danger' : 'main'} disabled={blocked}>
          {of.action}
        </Button>
      </footer>
    </form>
  );
}

export function ask(of: question): void {
  openDialog(<Question of={of} key={of.title} />);
}
