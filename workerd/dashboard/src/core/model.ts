import { itemsOf, row } from './api';
import { number } from './format';

// What the screens make of the server's answers, in one place. Columns have the names of the SQL
// API; a figure the server does not send is null and shown as a dash, never as zero.

export function queuesOf(overview: any): row[] {
  return itemsOf(overview, 'queues');
}

export type verdict = { tone: 'good' | 'warn' | 'bad' | 'off'; words: string };

/// One traffic light per queue, and why it has its colour.
export function judge(queue: row): verdict {
  const age = oldestSeconds(queue);
  const objective = number(queue.objective_seconds);
  const late = queue.late === true || (objective !== null && age !== null && age > objective);
  const failed = number(queue.failed_percent);
  const workers = number(queue.workers);
  const stands = (number(queue.ready) ?? 0) > 0;
  if (queue.paused) return { tone: 'off', words: 'paused' };
  if (workers === 0 && stands) return { tone: 'bad', words: 'no worker' };
  if (late) return { tone: 'bad', words: 'behind' };
  if (failed !== null && failed >= 25) return { tone: 'bad', words: 'failing' };
  if (failed !== null && failed >= 5) return { tone: 'warn', words: 'failures' };
  if (objective !== null && age !== null && age > objective / 2) return { tone: 'warn', words: 'slow' };
  if (objective === null && age !== null && age > 600) return { tone: 'warn', words: 'slow' };
  return { tone: 'good', words: 'in time' };
}

const worst = { bad: 0, warn: 1, off: 2, good: 3 };

/// Worst first; within one colour, how far behind.
export function byTrouble(queues: row[]): row[] {
  const behind = (q: row) => (oldestSeconds(q) ?? 0) / (number(q.objective_seconds) ?? 600);
  return [...queues].sort(
    (a, b) =>
      worst[judge(a).tone] - worst[judge(b).tone] ||
      behind(b) - behind(a) ||
      String(a.queue).localeCompare(String(b.queue)),
  );
}

export function oldestSeconds(queue: row): number | null {
  return number(queue.oldest_waiting_seconds);
}

export function perSecond(queue: row): number | null {
  const minute = number(queue.finished_per_minute);
  return minute === null ? null : minute / 60;
}

/// The first line of an error, for a list.
export function firstLine(text: unknown): string {
  return String(text ?? '').split('\n', 1)[0]!;
}

/// Names and numbers of a payload's head, so that rows of one kind can be told apart.
export function summary(r: row): string {
  if (typeof r.summary === 'string' && r.summary) return r.summary;
  return firstLine(r.last_error ?? r.error ?? '');
}
