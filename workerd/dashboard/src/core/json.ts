// JSON without loss. JSON.parse rounds integers above 2^53, and ids, amounts and payloads hold
// such. This reader keeps them as strings of digits, and keeps what users wrote (payloads,
// outputs, metadata) as the text it came as.

/// A value that is shown as it came; `read()` for those that must be looked into.
export class json_text {
  constructor(readonly text: string) {}
  read(): any {
    return readJson(this.text);
  }
  toString(): string {
    return this.text;
  }
}

const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

const numeral = /-?\d+(\.\d+)?([eE][-+]?\d+)?/y;

class reader {
  private at = 0;
  constructor(
    private readonly text: string,
    private readonly raw: ReadonlySet<string>,
  ) {}

  whole(): any {
    const value = this.value();
    this.blank();
    if (this.at !== this.text.length) this.fail('the end');
    return value;
  }

  private value(): any {
    this.blank();
    const c = this.text[this.at];
    if (c === '{') return this.object();
    if (c === '[') return this.array();
    if (c === '"') return this.string();
    if (this.word('true')) return true;
    if (this.word('false')) return false;
    if (this.word('null')) return null;
    return this.number();
  }

  private object(): Record<string, any> {
    // No prototype: a member may be called __proto__.
    const members: Record<string, any> = Object.create(null);
    this.at++;
    this.blank();
    if (this.take('}')) return members;
    for (;;) {
      this.blank();
      const name = this.string();
      this.blank();
      if (!this.take(':')) this.fail('a colon');
      this.blank();
      const start = this.at;
      const value = this.value();
      const keep = this.raw.has(name) && value !== null && typeof value !== 'string';
      members[name] = keep ? new json_text(this.text.slice(start, this.at)) : value;
      this.blank();
      if (this.take('}')) return members;
      if (!this.take(',')) this.fail('a comma or a brace');
    }
  }

  private array(): any[] {
    const items: any[] = [];
    this.at++;
    this.blank();
    if (this.take(']')) return items;
    for (;;) {
      items.push(this.value());
      this.blank();
      if (this.take(']')) return items;
      if (!this.take(',')) this.fail('a comma or a bracket');
    }
  }

  private string(): string {
    if (!this.take('"')) this.fail('a string');
    // Nearly all are without escapes.
    const end = this.text.indexOf('"', this.at);
    const plain = this.text.slice(this.at, end < 0 ? this.text.length : end);
    if (end >= 0 && !plain.includes('\\')) {
      this.at = end + 1;
      return plain;
    }
    let out = '';
    for (;;) {
      const from = this.at;
      while (this.at < this.text.length && !'"\\'.includes(this.text[this.at]!)) this.at++;
      out += this.text.slice(from, this.at);
      if (this.at >= this.text.length) this.fail('the end of a string');
      if (this.text[this.at++] === '"') return out;
      const c = this.text[this.at++]!;
      if (c === 'u') {
        out += String.fromCharCode(parseInt(this.text.slice(this.at, this.at + 4), 16));
        this.at += 4;
      } else {
        out += escapes[c] ?? c;
      }
    }
  }

  private number(): number | string {
    numeral.lastIndex = this.at;
    const found = numeral.exec(this.text);
    if (!found) this.fail('a value');
    const digits = found![0];
    this.at += digits.length;
    const value = Number(digits);
    const whole = found![1] === undefined && found![2] === undefined;
    return whole && !Number.isSafeInteger(value) ? digits : value;
  }

  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private take(c: string): boolean {
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private blank(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
      this.at++;
    }
  }

  private fail(expected: string): never {
    throw new SyntaxError(`JSON: expected ${expected} at character ${this.at}`);
  }
}

const none: ReadonlySet<string> = new Set();

export function readJson(text: string, raw: ReadonlySet<string> = none): any {
  return new reader(text, raw).whole();
}

/// The text of a JSON column, whichever way it came.
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof json_text) return value.text;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/// The value of a JSON column, whichever way it came; undefined when it is none.
export function valueOf(value: unknown): any {
  if (value instanceof json_text) return value.read();
  if (typeof value !== 'string') return value;
  try {
    return readJson(value);
  } catch {
    return undefined;
  }
}

export type token = { kind: 'key' | 'string' | 'number' | 'word' | 'mark' | 'space'; text: string };

const lexeme = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)|([{}[\],:])|(\s+)|(.)/gs;

/// The same characters, with what each is: for colours.
export function tokens(text: string): token[] {
  const found: token[] = [];
  for (const match of text.matchAll(lexeme)) {
    const [, quoted, colon, number, word, mark, space, other] = match;
    if (quoted !== undefined) {
      found.push({ kind: colon ? 'key' : 'string', text: quoted });
      if (colon) found.push({ kind: 'mark', text: colon });
    } else if (number !== undefined) found.push({ kind: 'number', text: number });
    else if (word !== undefined) found.push({ kind: 'word', text: word });
    else if (mark !== undefined) found.push({ kind: 'mark', text: mark });
    else found.push({ kind: 'space', text: space ?? other ?? '' });
  }
  return found;
}

/// Line breaks and indentation changed, every other character as it was.
export function pretty(text: string): string {
  let out = '';
  let depth = 0;
  const parts = tokens(text).filter((part) => !/^\s*$/.test(part.text));
  parts.forEach((part, index) => {
    const mark = part.kind === 'mark' ? part.text.trim() : '';
    const next = parts[index + 1]?.text;
    if (mark === '{' || mark === '[') {
      const empty = next === (mark === '{' ? '}' : ']');
      depth++;
      out += mark + (empty ? '' : '\n' + '  '.repeat(depth));
    } else if (mark === '}' || mark === ']') {
      depth = Math.max(0, depth - 1);
      const empty = /[{[]$/.test(out);
      out += (empty ? '' : '\n' + '  '.repeat(depth)) + mark;
    } else if (mark === ',') {
      out += ',\n' + '  '.repeat(depth);
    } else if (mark === ':') {
      out += ': ';
    } else {
      out += part.text;
    }
  });
  return out;
}
