import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, problem, query, row } from './api';
import { paused } from './live';

export type resource<T> = {
  data: T | null;
  error: problem | null;
  loading: boolean;
  reload: () => void;
};

function asProblem(failure: unknown): problem {
  if (failure instanceof problem) return failure;
  return new problem(0, 'unreadable', 'The answer cannot be read', (failure as Error).message);
}

/// A timer asks only when nothing is asked already: an answer that takes longer than the interval
/// must come. After a minute it will not: the connection was lost without a word.
class turnstile {
  private since: number | null = null;
  private asked = 0;
  /// The number of the request, for `leave`.
  enter(): number {
    this.since = Date.now();
    return ++this.asked;
  }
  leave(request: number): void {
    if (this.isLast(request)) this.since = null;
  }
  isLast(request: number): boolean {
    return request === this.asked;
  }
  get free(): boolean {
    return this.since === null || Date.now() - this.since > 60_000;
  }
}

function useTimer(every: number, key: string, gate: turnstile, run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!every) return;
    const timer = setInterval(() => {
      if (!document.hidden && !paused.value && gate.free) latest.current();
    }, every);
    return () => clearInterval(timer);
  }, [key, every]);
}

/// What a GET answers, again every so many milliseconds while the page is live and seen. While
/// it is asked again the old answer stays, so nothing flickers.
export function useResource<T = any>(
  path: string | null,
  asked: query = {},
  every = 0,
): resource<T> {
  const key = path === null ? '' : path + JSON.stringify(asked);
  const [answer, setAnswer] = useState<{ path: string | null; data: T | null }>({ path: null, data: null });
  const [error, setError] = useState<problem | null>(null);
  const [loading, setLoading] = useState(path !== null);
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const gate = useMemo(() => new turnstile(), []);
  // Not after the next frame: painting what is not there yet would be waited for.
  useLayoutEffect(() => {
    if (path === null) return;
    const control = new AbortController();
    const request = gate.enter();
    setLoading(true);
    get(path, asked, control.signal)
      .then((data) => {
        if (control.signal.aborted) return;
        setAnswer({ path, data });
        setError(null);
        setLoading(false);
      })
      .catch((failure) => {
        if (control.signal.aborted) return;
        setError(asProblem(failure));
        setLoading(false);
      })
      .finally(() => gate.leave(request));
    return () => control.abort();
  }, [key, turn]);
  useTimer(path === null ? 0 : every, key, gate, reload);
  // Another object's answer must not be shown under this one's name.
  return { data: answer.path === path ? answer.data : null, error, loading, reload };
}

export type listing = {
  rows: row[] | null;
  answer: any;
  error: problem | null;
  loading: boolean;
  more: (() => void) | null;
  /// Newer rows that are not shown yet; `showNew` shows them.
  fresh: number;
  showNew: () => void;
  reload: () => void;
};

const most = 1000;

/// A list by pages. Rows never jump under the cursor: rows that are shown change in place, new
/// ones wait until somebody asks for them.
export function useList(path: string, asked: query, id: (r: row) => string, every = 0): listing {
  const key = path + JSON.stringify(asked);
  const [pages, setPages] = useState<{ key: string; rows: row[]; next: string | null; answer: any } | null>(null);
  const [waiting, setWaiting] = useState<any>(null);
  const [error, setError] = useState<problem | null>(null);
  const [loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const alive = useRef('');
  alive.current = key;

  const gate = useMemo(() => new turnstile(), []);

  const load = (cursor: string | null, done: (answer: any) => void) => {
    const control = new AbortController();
    const request = gate.enter();
    const mine = () => alive.current === key && !control.signal.aborted;
    setLoading(true);
    get(path, { ...asked, cursor }, control.signal)
      .then((answer) => {
        if (!mine()) return;
        setError(null);
        setLoading(false);
        done(answer);
      })
      .catch((failure) => {
        if (!mine()) return;
        setError(asProblem(failure));
        setLoading(false);
      })
      .finally(() => gate.leave(request));
    return control;
  };

  useLayoutEffect(() => {
    setWaiting(null);
    const control = load(null, (answer) =>
      setPages({ key, rows: answer?.items ?? [], next: answer?.next ?? null, answer }),
    );
    return () => control.abort();
  }, [key, turn]);

  const refresh = () => {
    if (!pages || pages.key !== key) {
      setTurn((n) => n + 1);
      return;
    }
    const request = gate.enter();
    // Whatever was asked since knows more.
    const mine = () => alive.current === key && gate.isLast(request);
    get(path, asked)
      .then((answer) => {
        if (!mine()) return;
        setError(null);
        setWaiting(answer);
        setPages((old) => {
          if (!old || old.key !== key) return old;
          const seen = new Map<string, row>((answer.items ?? []).map((r: row) => [id(r), r]));
          return { ...old, answer, rows: old.rows.map((r) => seen.get(id(r)) ?? r) };
        });
      })
      .catch((failure) => {
        if (mine()) setError(asProblem(failure));
      })
      .finally(() => gate.leave(request));
  };
  useTimer(every, key, gate, refresh);

  const shown = pages && pages.key === key ? pages : null;
  const known = new Set((shown?.rows ?? []).map(id));
  const fresh = (waiting?.items ?? []).filter((r: row) => !known.has(id(r))).length;
  const next = shown?.next ?? null;
  return {
    rows: shown?.rows ?? pages?.rows ?? null,
    answer: shown?.answer ?? null,
    error,
    loading,
    fresh: shown ? fresh : 0,
    showNew: () => setTurn((n) => n + 1),
    reload: () => setTurn((n) => n + 1),
    more:
      next && shown!.rows.length < most
        ? () =>
            load(next, (answer) =>
              setPages((old) =>
                old && old.key === key
                  ? { key, answer: old.answer, rows: [...old.rows, ...answer.items], next: answer.next ?? null }
                  : old,
              ),
            )
        : null,
  };
}
