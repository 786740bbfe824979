import { useMemo, useState } from 'preact/hooks';
import { pretty, textOf, tokens } from '../core/json';
import { Button, Copy } from './parts';

const most = 200_000;

/// JSON as it was written: coloured by a tokenizer, never parsed, so that no digit changes.
export function Json({ of, label }: { of: unknown; label: string }) {
  const [raw, setRaw] = useState(false);
  const [whole, setWhole] = useState(false);
  const text = textOf(of);
  const shown = useMemo(() => {
    if (text === null) return '';
    const cut = whole ? text : text.slice(0, most);
    return raw ? cut : pretty(cut);
  }, [text, raw, whole]);
  if (text === null) return <p class="dim pad">None.</p>;
  const coloured = shown.length <= most * 2;
  return (
    <div class="json">
      <div class="json-tools">
        <Button kind="quiet" pressed={raw} onClick={() => setRaw(!raw)}>Raw</Button>
        <Copy text={text} label={`Copy ${label}`} />
      </div>
      <pre tabIndex={0} role="region" aria-label={label}>
        {coloured
          ? tokens(shown).map((t) => (t.kind === 'space' ? t.text : <span class={`json-${t.kind}`}>{t.text}</span>))
          : shown}
      </pre>
      {text.length > most && !whole && (
        <Button kind="quiet" onClick={() => setWhole(true)}>
          Show all {Math.round(text.length / 1000)} kB
        </Button>
      )}
    </div>
  );
}
