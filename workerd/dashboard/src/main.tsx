import './style.css';
import 'uplot/dist/uPlot.min.css';
import { effect, untracked } from '@preact/signals';
import { ComponentChildren, render } from 'preact';
import { useEffect, useErrorBoundary } from 'preact/hooks';
import { startKeys } from './core/keys';
import { startLive, stopLive } from './core/live';
import { current, startRouter } from './core/router';
import { startSession, whoami } from './core/session';
import { startSettings } from './core/settings';
import { Alerts } from './screens/alerts';
import { Access } from './screens/access';
import { Batch, Batches } from './screens/batches';
import { Database } from './screens/database';
import { Failures } from './screens/failures';
import { Integrations } from './screens/integrations';
import { Job } from './screens/job';
import { Jobs } from './screens/jobs';
import { Operation, Operations } from './screens/operations';
import { Overview } from './screens/overview';
import { Queue, Queues } from './screens/queues';
import { Schedule, Schedules } from './screens/schedules';
import { Settings } from './screens/settings';
import { Workers } from './screens/workers';
import { Workflow } from './screens/workflow';
import { Head } from './ui/parts';
import { Shell, SignIn } from './ui/shell';

function Screen() {
  const [name, id] = current.value.parts;
  switch (name ?? '') {
    case '': return <Overview />;
    case 'jobs': return id ? <Job id={id} key={id} /> : <Jobs />;
    case 'failures': return <Failures />;
    case 'queues': return id ? <Queue name={id} key={id} /> : <Queues />;
    case 'schedules': return id ? <Schedule name={id} key={id} /> : <Schedules />;
    case 'batches': return id ? <Batch id={id} key={id} /> : <Batches />;
    case 'workflows': return id ? <Workflow id={id} key={id} /> : <Jobs />;
    case 'workers': return <Workers />;
    case 'integrations': return <Integrations />;
    case 'database': return <Database />;
    case 'operations': return id ? <Operation id={id} key={id} /> : <Operations />;
    case 'alerts': return <Alerts />;
    case 'audit': return <Access />;
    case 'settings': return <Settings />;
    default: return <Head title="No such screen" note="The address names none. Press ? for the keys." />;
  }
}

function titleOf(): string {
  const [name, id] = current.value.parts;
  if (!name) return 'Overview · libqueue';
  const word = name === 'audit' ? 'Access' : name[0]!.toUpperCase() + name.slice(1);
  return `${id ? `${id} · ` : ''}${word} · libqueue`;
}

/// A screen that cannot be drawn says so and leaves the others alone.
function Guarded({ children }: { children: ComponentChildren }) {
  const [failure, again] = useErrorBoundary((found) => console.error(found));
  // Another address may be drawn again.
  useEffect(again, [current.value]);
  if (!failure) return <>{children}</>;
  return <Head title="This screen cannot be shown" note={String((failure as Error).message)} />;
}

function App() {
  if (whoami.value === null) return <SignIn />;
  const { value } = current;
  return (
    <Shell full={value.get('full') === 'yes'}>
      <Guarded key={value.path}><Screen /></Guarded>
    </Shell>
  );
}

async function start(): Promise<void> {
  startSettings();
  startRouter();
  startKeys();
  effect(() => {
    document.title = titleOf();
  });
  await startSession();
  effect(() => {
    const signedIn = whoami.value !== null;
    untracked(signedIn ? startLive : stopLive);
  });
  render(<App />, document.getElementById('app')!);
}

void start();
