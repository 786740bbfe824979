// The filter grammar as far as a screen needs it: where one term ends and the next begins. What
// the words mean is decided by the server alone, which also names what it does not know.

export type term = { text: string; negated: boolean; name: string; value: string };

const piece = /-?(?:[\w.]+:)?(?:"(?:\\.|[^"\\])*"?|[^\s"]+)+/g;

export function terms(text: string): term[] {
  return (text.match(piece) ?? []).map((found) => {
    const negated = found.startsWith('-') && found.length > 1;
    const body = negated ? found.slice(1) : found;
    const colon = /^([\w.]+):/.exec(body);
    const value = colon ? body.slice(colon[0].length) : body;
    return { text: found, negated, name: colon ? colon[1]! : '', value: unquoted(value) };
  });
}

export function unquoted(value: string): string {
  return value.replace(/"((?:\\.|[^"\\])*)"?/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1'));
}

export function quoted(value: unknown): string {
  const text = String(value);
  return /^[\w.*@/:+#-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

export function without(text: string, index: number): string {
  return terms(text)
    .filter((_, at) => at !== index)
    .map((each) => each.text)
    .join(' ');
}

/// The value of a word when it is given once and not negated.
export function valueOfTerm(text: string, name: string): string {
  return terms(text).find((each) => each.name === name && !each.negated)?.value ?? '';
}

/// The filter with this word set to this value; an empty value takes the word out.
export function withTerm(text: string, name: string, value: string): string {
  const kept = terms(text)
    .filter((each) => each.name !== name || each.negated)
    .map((each) => each.text);
  if (value) kept.unshift(`${name}:${name === 'state' ? value : quoted(value)}`);
  return kept.join(' ');
}

export function addTerm(text: string, name: string, value: unknown): string {
  const term = `${name}:${quoted(value)}`;
  return terms(text).some((each) => each.text === term) ? text : `${text} ${term}`.trim();
}

export class word {
  constructor(
    readonly name: string,
    readonly means: string,
    readonly values: string[] = [],
  ) {}
}

/// Offered while typing; the server adds names and values of its own.
export const words: word[] = [
  new word('state', 'where the job stands', [
    'scheduled', 'ready', 'running', 'retrying', 'completed', 'cancelled', 'dead',
  ]),
  new word('queue', 'name of the queue'),
  new word('kind', 'kind, or a prefix ending in *'),
  new word('args.', 'a member of the payload: args.user.id:42'),
  new word('tag', 'one of its tags'),
  new word('error', 'words of the last error'),
  new word('age', 'since it was made: >10m, <1h', ['>10m', '>1h', '<1h', '>1d']),
  new word('created', 'when it was made: 2026-11-01..'),
  new word('id', 'number of the job'),
  new word('priority', 'lower runs first', ['1', '3', '5', '7', '10']),
  new word('attempt', 'attempts made: >2', ['>1', '>2', '>5']),
  new word('tenant', 'whose job it is'),
  new word('fingerprint', 'failure group'),
  new word('batch', 'batch it belongs to'),
];

/// The term the cursor is in: [from, to) of the text.
export function termAt(text: string, cursor: number): [number, number] {
  for (const match of text.matchAll(piece)) {
    const end = match.index + match[0].length;
    if (cursor >= match.index && cursor <= end) return [match.index, end];
  }
  return [cursor, cursor];
}
