import { createContext } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { beats } from '../core/live';
import { resource, useResource } from '../core/resource';
import { can } from '../core/session';

/// The alerts that are open, asked for once for all parts of the page that show them.
export const OpenAlerts = createContext<resource<any> | null>(null);

export function useOpenAlerts(): resource<any> {
  const open = useResource(can('alerts.read') ? '/alerts' : null, {}, 15_000);
  const beat = beats.alert.value;
  const seen = useRef(beat);
  useEffect(() => {
    if (seen.current !== beat) open.reload();
    seen.current = beat;
  }, [beat]);
  return open;
}
