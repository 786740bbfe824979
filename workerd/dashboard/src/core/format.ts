import { signal } from '@preact/signals';

// Figures and times as people read them. Nothing here throws: a column may hold anything.

/// Now, once a second, so that every relative time on the screen moves together.
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

/// "local" or "utc".
export const zone = signal<'local' | 'utc'>('local');

export function number(value: unknown): number | null {
  if (value === null || value === undefined || value === '') return null;
  const found = Number(value);
  return Number.isFinite(found) ? found : null;
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value: unknown): string {
  const found = number(value);
  if (found === null) return '–';
  return Math.abs(found) < 1e15 ? grouped.format(found) : String(value);
}

/// 1,204 stays exact; 3.2 M does not claim more than it knows.
export function short(value: unknown): string {
  const found = number(value);
  if (found === null) return '–';
  for (const [size, unit] of [[1e9, 'G'], [1e6, 'M'], [1e4, 'k']] as const) {
    if (Math.abs(found) >= size) {
      const scaled = found / (unit === 'k' ? 1e3 : size);
      return `${scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1).replace(/\.0$/, '')} ${unit}`;
    }
  }
  return grouped.format(found);
}

/// Of a count that may be an estimate.
export function estimate(value: unknown, exact: boolean): string {
  return exact ? count(value) : `~${short(value)}`;
}

export function rate(value: unknown): string {
  const found = number(value);
  if (found === null) return '–';
  if (found === 0) return '0';
  if (found < 0.1) return '<0.1';
  return found < 10 ? found.toFixed(1) : short(Math.round(found));
}

export function percent(value: unknown): string {
  const found = number(value);
  if (found === null) return '–';
  if (found === 0) return '0 %';
  return found < 0.1 ? '<0.1 %' : `${found < 10 ? found.toFixed(1) : found.toFixed(0)} %`;
}

export function bytes(value: unknown): string {
  const found = number(value);
  if (found === null) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = found;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit && scaled < 100 ? scaled.toFixed(1) : scaled.toFixed(0)} ${units[unit]}`;
}

/// "3m 12s", "840 ms": the two largest units.
export function duration(milliseconds: unknown): string {
  const found = number(milliseconds);
  if (found === null) return '–';
  const sign = found < 0 ? '−' : '';
  const ms = Math.abs(found);
  if (ms < 1) return ms === 0 ? '0 ms' : `${sign}<1 ms`;
  if (ms < 1000) return `${sign}${ms.toFixed(0)} ms`;
  if (ms < 10_000) return `${sign}${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return sign + shown.map(([amount, unit]) => amount + unit).join(' ');
}

export function seconds(value: unknown): string {
  const found = number(value);
  return found === null ? '–' : duration(found * 1000);
}

/// Milliseconds since 1970 of a time in PostgreSQL's or ISO form; null when it is none.
export function instant(value: unknown): number | null {
  if (value === null || value === undefined || value === '') return null;
  const text = String(value).replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
  const found = typeof value !== 'number' ? Date.parse(text) : value > 1e14 ? value / 1000 : value;
  return Math.abs(found) <= 8.64e15 ? found : null;
}

/// The time a chart shows, in seconds since 1970.
export type range = { from: number; to: number; step: number; chosen: boolean };

export const spans: Record<string, number> = { '15m': 900, '1h': 3600, '6h': 21600, '24h': 86400, '7d': 604800 };

/// From what the address says, which may be anything: what is no time counts as not said.
export function rangeOf(from: string, to: string, span: string, at: number): range {
  const long = Object.hasOwn(spans, span) ? spans[span]! : 3600;
  const time = (text: string) => {
    const found = number(text);
    return found !== null && found > 0 && found < 253402300800 ? found : null;
  };
  // The server keeps samples by the minute.
  const stepOf = (wide: number) => Math.max(60, Math.ceil(wide / 180 / 60) * 60);
  const [begins, ends] = [time(from), time(to)];
  if (begins !== null && ends !== null && begins < ends) {
    return { from: begins, to: ends, step: stepOf(ends - begins), chosen: true };
  }
  const step = stepOf(long);
  // A round number, so that all charts of a screen ask for the same time.
  const end = Math.floor(at / step) * step;
  return { from: end - long, to: end, step, chosen: false };
}

export function ago(value: unknown, at: number): string {
  const found = instant(value);
  if (found === null) return '–';
  const gone = at - found;
  if (Math.abs(gone) < 1500) return 'now';
  const text = duration(Math.floor(Math.abs(gone) / 1000) * 1000).replace('.0s', 's');
  return gone > 0 ? `${text} ago` : `in ${text}`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/// 2026-11-21 18:04:05, in the chosen zone.
export function absolute(value: unknown, how: 'local' | 'utc' = zone.value): string {
  const found = instant(value);
  if (found === null) return '–';
  const d = new Date(found);
  const utc = how === 'utc';
  const date = [
    utc ? d.getUTCFullYear() : d.getFullYear(),
    two((utc ? d.getUTCMonth() : d.getMonth()) + 1),
    two(utc ? d.getUTCDate() : d.getDate()),
  ].join('-');
  const time = [
    two(utc ? d.getUTCHours() : d.getHours()),
    two(utc ? d.getUTCMinutes() : d.getMinutes()),
    two(utc ? d.getUTCSeconds() : d.getSeconds()),
  ].join(':');
  return `${date} ${time}${utc ? 'Z' : ''}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/// "1h 30m" in seconds; null when it is no time.
export function secondsOf(text: string): number | null {
  const sizes: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 };
  if (!/^\s*(\d+\s*[smhd]\s*)+$/.test(text)) return null;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)\s*([smhd])/g)) sum += Number(amount) * sizes[unit!]!;
  return sum;
}
