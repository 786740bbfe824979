import { call, freshKey, row } from '../core/api';
import { count, estimate, number, secondsOf } from '../core/format';
import { textOf } from '../core/json';
import { go, link, segment } from '../core/router';
import { production } from '../core/session';
import { operations } from '../core/live';
import { ask, field } from './dialog';
import { toast, toastProblem } from './toast';

// What changes something. Each asks with count, filter and consequence where much is at stake,
// says what was done, and what the server answered when it refused.

const post = (path: string, body?: unknown, text?: string): Promise<any> =>
  call('POST', path, { body, text, key: freshKey() });

/// Runs one call and says how it went; for what needs no question.
export async function act(done: string, what: () => Promise<any>, after?: () => void): Promise<void> {
  try {
    await what();
    toast(done);
    after?.();
  } catch (failure) {
    toastProblem(`${done.replace(/\.$/, '')}: refused`, failure);
    after?.();
  }
}

const jobPath = (id: unknown): string => `/jobs/${segment(id)}`;

export function retryJob(id: unknown, after: () => void): void {
  void act(`Job ${id} stands in line`, () => post(`${jobPath(id)}/retry`), after);
}

export function runNow(id: unknown, after: () => void): void {
  void act(`Job ${id} is due now`, () => post(`${jobPath(id)}/run-now`), after);
}

export function cancelJob(id: unknown, state: unknown, after: () => void): void {
  ask({
    title: `Cancel job ${id}?`,
    consequence: state === 'running'
      ? 'It runs: its handler is asked to stop. What it has done already is not undone.'
      : 'It will not run. It can be retried later.',
    fields: [{ name: 'reason', label: 'Reason', hint: 'Kept with the attempt.' }],
    action: 'Cancel the job',
    danger: true,
    run: async (values) => {
      await call('DELETE', jobPath(id), { query: { reason: values.reason }, key: freshKey() });
      toast(`Job ${id} is cancelled`);
      after();
    },
  });
}

export function snoozeJob(id: unknown, after: () => void): void {
  ask({
    title: `Put job ${id} off`,
    consequence: 'It stays in line and is not due before then. No attempt is used up.',
    fields: [{ name: 'delay', label: 'For how long', value: '10m', required: true, hint: 'Such as 30s, 10m, 2h, 1d' }],
    action: 'Put off',
    run: async (values) => {
      const seconds = secondsOf(values.delay!);
      if (seconds === null) throw new Error('Expected a time such as 30s, 10m, 2h or 1d.');
      await post(`${jobPath(id)}/snooze`, { seconds });
      toast(`Job ${id} is put off for ${values.delay}`);
      after();
    },
  });
}

/// The text of the editor goes to the server as it is: JSON inside JSON would change numbers.
function withPayload(payload: string, more: Record<string, unknown>): string {
  const rest = JSON.stringify(more);
  return `{"payload":${payload.trim() || '{}'}${rest === '{}' ? '' : ',' + rest.slice(1, -1)}}`;
}

export function cloneJob(of: row): void {
  ask({
    title: `New job like ${of.id}`,
    consequence: 'A job of its own with this payload, linked to the one it was made from.',
    fields: [
      { name: 'payload', label: 'Payload', kind: 'area', value: textOf(of.payload) ?? '{}', required: true,
        hint: 'Sent as typed; numbers keep their digits.' },
      { name: 'priority', label: 'Priority', kind: 'number', value: String(of.priority ?? ''),
        hint: 'Lower runs first.' },
    ],
    action: 'Make the job',
    run: async (values) => {
      const more: Record<string, unknown> = {};
      const priority = number(values.priority);
      if (priority !== null && priority !== of.priority) more.priority = priority;
      const made = await post(`${jobPath(of.id)}/clone`, undefined, withPayload(values.payload!, more));
      const id = made?.id ?? made?.job_id;
      toast(`Job ${id} was made`, id ? { action: ['Open', () => go(link(`jobs/${segment(id)}`))] } : {});
    },
  });
}

export function retryEdited(of: row, after: () => void): void {
  ask({
    title: `Retry ${of.id} with another payload`,
    consequence: 'A new job is made with this payload and names the one it comes from.',
    fields: [{ name: 'payload', label: 'Payload', kind: 'area', value: textOf(of.payload) ?? '{}', required: true }],
    action: 'Retry edited',
    run: async (values) => {
      const made = await post(`${jobPath(of.id)}/retry`, undefined, withPayload(values.payload!, {}));
      toast(`Job ${made?.id ?? of.id} stands in line`);
      after();
    },
  });
}

export function enqueueJob(kind = '', queue = ''): void {
  ask({
    title: 'Enqueue a job',
    fields: [
      { name: 'kind', label: 'Kind', value: kind, required: true, hint: 'Such as email.send' },
      { name: 'queue', label: 'Queue', value: queue, hint: "Empty: the kind's own" },
      { name: 'payload', label: 'Payload', kind: 'area', value: '{}', required: true },
    ],
    action: 'Enqueue',
    run: async (values) => {
      const more: Record<string, unknown> = { kind: values.kind };
      if (values.queue) more.queue = values.queue;
      const made = await post('/jobs', undefined, withPayload(values.payload!, more));
      const id = made?.id;
      toast(`Job ${id} stands in line`, id ? { action: ['Open', () => go(link(`jobs/${segment(id)}`))] } : {});
    },
  });
}

/// One call per job, four at a time; says how many were refused and why the first was.
export async function each(ids: string[], words: string, what: (id: string) => Promise<any>): Promise<void> {
  let done = 0;
  let refused = '';
  const left = [...ids];
  const turn = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      try {
        await what(id);
        done++;
      } catch (failure) {
        refused ||= `job ${id}: ${(failure as Error).message}`;
      }
    }
  };
  await Promise.all([turn(), turn(), turn(), turn()]);
  if (refused) {
    toast(`${words}: ${done} of ${ids.length}`, { tone: 'dead', detail: `First refusal: ${refused}` });
  } else {
    toast(`${words}: ${done}`);
  }
}

const consequences: Record<string, string> = {
  retry: 'They stand in line again and run as soon as there is a free slot.',
  cancel: 'They will not run. Running ones are asked to stop.',
  replay: 'They stand in line again with a fresh count of attempts, at the rate given.',
  discard: 'The dead letters are deleted with their attempts. This cannot be undone.',
  purge: 'Every waiting job of it is cancelled.',
};

/// Above this many, or in production, the number must be typed.
const severe = 100;

/// Everything that matches a filter, in the background: count first, then the question.
export async function bulk(action: string, filter: string, noun = 'jobs', speed = ''): Promise<void> {
  let seen: any;
  try {
    seen = await post('/operations', { action, filter, dry_run: true });
  } catch (failure) {
    toastProblem(`${action}: cannot be counted`, failure);
    return;
  }
  const many = number(seen?.count) ?? 0;
  const exact = seen?.count_exact !== false;
  if (many === 0) {
    toast(`Nothing matches ${filter || 'this filter'}`, { tone: 'scheduled' });
    return;
  }
  const big = many > severe || (production.value && many > 1);
  const fields: field[] = [{ name: 'rate', label: 'Rate', kind: 'number',
    value: speed || (many > severe ? '50' : ''), hint: 'Jobs per second; empty: as fast as it goes' }];
  ask({
    title: `${action[0]!.toUpperCase()}${action.slice(1)} ${estimate(many, exact)} ${noun}?`,
    consequence: consequences[action],
    facts: [
      ['Count', estimate(many, exact) + (exact ? '' : ' (an estimate)')],
      ['Filter', <code>{filter}</code>],
      ['Begins', 'after 10 s, in which it can be undone'],
    ],
    fields,
    confirm: big ? String(many) : undefined,
    action: `${action[0]!.toUpperCase()}${action.slice(1)} ${estimate(many, exact)}`,
    danger: action !== 'replay' && action !== 'retry',
    preview: async () => {
      const again = await post('/operations', { action, filter, dry_run: true });
      return <>It would take <b>{estimate(again.count, again.count_exact !== false)}</b> {noun}. Nothing was changed.</>;
    },
    run: async (values) => {
      const rate = number(values.rate);
      const made = await post('/operations', { action, filter, ...(rate ? { rate } : {}) });
      if (made?.id !== undefined) {
        operations.value = { ...operations.value, [String(made.id)]: made };
        toast(`Operation ${made.id} begins in 10 s`, { action: ['Undo', () => cancelOperation(made.id)] });
      }
    },
  });
}

export function cancelOperation(id: unknown, after?: () => void): void {
  void act(`Operation ${id} is cancelled`, async () => {
    const told = await post(`/operations/${segment(id)}/cancel`);
    if (told?.id !== undefined) operations.value = { ...operations.value, [String(id)]: told };
  }, after);
}

export function pauseQueue(name: string, after: () => void): void {
  ask({
    title: `Pause ${name}?`,
    consequence: 'Nothing of this queue is claimed until it is resumed. What runs now runs on.',
    fields: [{ name: 'reason', label: 'Reason', required: true, hint: 'Shown to everybody who asks why jobs wait.' }],
    action: 'Pause',
    run: async (values) => {
      await post(`/queues/${segment(name)}/pause`, { reason: values.reason });
      toast(`${name} is paused`);
      after();
    },
  });
}

export function resumeQueue(name: string, after: () => void): void {
  void act(`${name} is resumed`, () => post(`/queues/${segment(name)}/resume`), after);
}

export function clearQueue(name: string, queue: row, after: () => void): void {
  const many = (number(queue.ready) ?? 0) + (number(queue.scheduled) ?? 0) + (number(queue.retrying) ?? 0);
  ask({
    title: `Clear ${name}?`,
    consequence: 'Every job that waits in it is cancelled. Running jobs are not touched.',
    facts: [['Waiting now', count(many)]],
    confirm: name,
    action: `Cancel ${count(many)} waiting jobs`,
    danger: true,
    run: async () => {
      const told = await post(`/queues/${segment(name)}/clear`);
      toast(`${name} is cleared`, { detail: `${count(told.cancelled)} jobs were cancelled${told.finished === false ? '; more wait: clear it again' : ''}.` });
      after();
    },
  });
}

const workerPath = (of: row): string => `/workers/${segment(of.id)}`;

/// A worker hears of it with its next heartbeat: until then the screen says what it was asked.
function askWorker(of: row, wish: string, title: string, consequence: string, action: string, done: string,
  after: () => void, ending = false): void {
  ask({
    title,
    consequence,
    facts: [['Process', `${of.host} · pid ${of.pid}`], ['Runs now', count(of.active)]],
    confirm: wish === 'stop' ? String(of.name) : undefined,
    action,
    danger: ending,
    run: async () => {
      await post(`${workerPath(of)}/${wish}`);
      toast(`${of.name} was asked to ${done}`);
      after();
    },
  });
}

export function quietWorker(of: row, after: () => void): void {
  askWorker(of, 'quiet', `Quiet ${of.name}?`,
    'From its next heartbeat on it claims nothing until it is resumed. What it runs now finishes.',
    'Quiet', 'be quiet', after);
}

export function drainWorker(of: row, after: () => void): void {
  askWorker(of, 'drain', `Drain ${of.name}?`,
    'It claims nothing any more, finishes what it runs however long that takes, and then its process ends.',
    'Drain', 'drain', after, true);
}

export function stopWorker(of: row, after: () => void): void {
  askWorker(of, 'stop', `Stop ${of.name}?`,
    'Its process ends as at SIGTERM: what does not finish within its drain timeout is run again by others. Whether it is started again is up to whoever looks after the process.',
    'Stop the worker', 'stop', after, true);
}

export function resumeWorker(of: row, after: () => void): void {
  void act(`${of.name} was asked to go on`, () => post(`${workerPath(of)}/resume`), after);
}
