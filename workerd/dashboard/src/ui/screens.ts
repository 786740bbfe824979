import { whoami } from '../core/session';
import type { icon_name } from './icons';

export type screen = { path: string; title: string; icon: icon_name; keys: string; right?: string };

const all: screen[] = [
  { path: '', title: 'Overview', icon: 'overview', keys: 'g o' },
  { path: 'jobs', title: 'Jobs', icon: 'jobs', keys: 'g j' },
  { path: 'failures', title: 'Failures', icon: 'failures', keys: 'g f' },
  { path: 'queues', title: 'Queues', icon: 'queues', keys: 'g q' },
  { path: 'schedules', title: 'Schedules', icon: 'schedules', keys: 'g s' },
  { path: 'batches', title: 'Batches', icon: 'batches', keys: 'g b' },
  { path: 'workers', title: 'Workers', icon: 'workers', keys: 'g w' },
  { path: 'integrations', title: 'Integrations', icon: 'integrations', keys: 'g i' },
  { path: 'database', title: 'Database', icon: 'database', keys: 'g d' },
  { path: 'operations', title: 'Operations', icon: 'operations', keys: 'g p' },
  { path: 'alerts', title: 'Alerts', icon: 'alerts', keys: 'g a' },
  { path: 'audit', title: 'Access', icon: 'audit', keys: 'g u', right: 'audit.read' },
  { path: 'settings', title: 'Settings', icon: 'settings', keys: 'g c' },
];

/// Those the role may see.
export function screens(): screen[] {
  const rights: string[] = whoami.value?.rights ?? [];
  return all.filter((each) => !each.right || rights.includes(each.right));
}
