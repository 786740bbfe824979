'use strict';
// Every screen, by its name, with the address it has for what the database holds.

function screens(given) {
  const { jobs, batch, queue = 'mail', schedule = 'nightly' } = given;
  return {
    overview: '',
    jobs: `jobs?filter=queue%3A${queue}`,
    'jobs-dead': 'jobs?filter=state%3Adead',
    'job-dead': `jobs/${jobs['dead-bulk']}`,
    'job-waiting': `jobs/${jobs.waits}`,
    failures: 'failures',
    letters: 'failures?view=letters',
    queues: 'queues',
    queue: `queues/${queue}`,
    schedules: 'schedules',
    schedule: `schedules/${schedule}`,
    batches: 'batches',
    batch: `batches/${batch}`,
    workflow: `workflows/${jobs.waits}`,
    workers: 'workers',
    limits: 'integrations',
    webhooks: 'integrations?view=webhooks',
    subscriptions: 'integrations?view=subscriptions',
    templates: 'integrations?view=templates',
    database: 'database',
    operations: 'operations',
    alerts: 'alerts',
    audit: 'audit',
    tokens: 'audit?view=tokens',
    tenants: 'audit?view=tenants',
    settings: 'settings',
  };
}

module.exports = { screens };
