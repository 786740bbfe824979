import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get, problem, query, row } from './api';
import { paused } from './live';
import { signOut, refusal } from './session';

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
  useEffect(() => {
    if (path === null) return;
    const control = new AbortController();
    setLoading(true);
    get(path, asked, control.signal)
      .then((data) => {
        setAnswer({ path, data });
        setError(null);
        setLoading(false);
      })
      .catch((failure) => {
        if (control.signal.aborted) return;
        const found = asProblem(failure);
        if (found.status === 401) {
          refusal.value = 'Your token has expired or was revoked.';
          signOut();
        }
        setError(found);
        setLoading(false);
      });
    return () => control.abort();
  }, [key, turn]);
  useEffect(() => {
    if (!every || path === null) return;
    const timer = setInterval(() => {
      if (!document.hidden && !paused.value) reload();
    }, every);
    return () => clearInterval(timer);
  }, [key, every]);
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

  const load = (cursor: string | null, done: (answer: any) => void) => {
    const control = new AbortController();
    setLoading(true);
    get(path, { ...asked, cursor }, control.signal)
      .then((answer) => {
        setError(null);
        setLoading(false);
        done(answer);
      })
      .catch((failure) => {
        if (control.signal.aborted) return;
        setError(asProblem(failure));
        setLoading(false);
      });
    return control;
  };

  useEffect(() => {
    setWaiting(null);
    const control = load(null, (answer) =>
      setPages({ key, rows: answer?.items ?? [], next: answer?.next ?? null, answer }),
    );
    return () => control.abort();
  }, [key, turn]);

  useEffect(() => {
    if (!every) return;
    const timer = setInterval(() => {
      if (document.hidden || paused.value) return;
      get(path, asked)
        .then((answer) => {
          if (alive.current !== key) return;
          setError(null);
          setWaiting(answer);
          setPages((old) => {
            if (!old || old.key !== key) return old;
            const seen = new Map<string, row>((answer.items ?? []).map((r: row) => [id(r), r]));
            return { ...old, answer, rows: old.rows.map((r) => seen.get(id(r)) ?? r) };
          });
        })
        .catch((failure) => {
          if (alive.current === key) setError(asProblem(failure));
        });
    }, every);
    return () => clearInterval(timer);
  }, [key, every]);

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
