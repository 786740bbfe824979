'use strict';
// A viewer looks. The page offers nothing else, and the server would refuse it.

const assert = require('assert');
const { open, settle } = require('./browser');
const { screens } = require('./screens');

const harmless = new RegExp(
  [
    'Copy', 'Filter', 'Clear the filter', 'Take out', 'Save view', 'Raw', 'Older', 'Skip', 'Screens',
    'Go to', 'Live', 'Paused', 'Connecting', 'No connection', 'Dark or light', 'Keys', 'Try again',
    'Full screen', '\\d+ more (queues|kinds)', 'Export', 'Range', 'Sign out', 'Dry run', 'Close', '\\d+ new',
    // Heads of sorted columns.
    'Queue', 'Oldest waiting', 'Ready', 'Running', 'Retrying', 'Scheduled', 'Dead', 'Per second',
    'Failed',
  ].map((text) => `^${text}`).join('|'),
);

module.exports = {
  'a viewer is offered nothing that changes anything': async (browser, given) => {
    const { page, context } = await open(browser, given, given.viewer);
    const offered = [];
    for (const [name, address] of Object.entries(screens(given))) {
      await page.goto(given.url + address);
      await settle(page);
      const names = await page.locator('button:visible').evaluateAll((all) =>
        all.map((each) => (each.getAttribute('aria-label') ?? each.textContent).trim()),
      );
      const bad = names.filter((each) => !harmless.test(each));
      // The button of a failure group is its own head.
      if (name !== 'failures') offered.push(...bad.map((each) => `${name}: ${each}`));
    }
    assert.equal(await page.locator('nav a', { hasText: 'Access' }).count(), 0);
    await context.close();
    assert.deepEqual(offered, []);
  },

  'and the server refuses what he asks for all the same': async (browser, given) => {
    const { page, context } = await open(browser, given, given.viewer);
    await page.goto(given.url);
    const asked = [
      ['POST', `jobs/${given.jobs.waits}/retry`], ['DELETE', `jobs/${given.jobs.waits}`],
      ['POST', 'jobs'], ['POST', 'queues/mail/pause'], ['POST', 'queues/mail/clear'],
      ['POST', 'workers/1/quiet'], ['POST', 'workers/1/stop'],
      ['POST', 'operations'], ['POST', `dead-letters/${given.jobs['dead-bulk']}/replay`],
      ['GET', 'audit'], ['GET', 'tokens'], ['GET', 'settings'],
    ];
    for (const [method, path] of asked) {
      const status = await page.evaluate(
        async ([method, path, token]) => {
          const answer = await fetch(`api/v1/${path}`, {
            method,
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            body: method === 'POST' ? '{}' : undefined,
          });
          return answer.status;
        },
        [method, path, given.viewer],
      );
      assert.equal(status, 403, `${method} ${path}`);
    }
    await context.close();
  },
};
