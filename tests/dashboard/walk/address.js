'use strict';
// Whatever stands in the address, there is a page.

const assert = require('assert');
const { open, settle, visit } = require('./browser');

const odd = [
  '?from=x&to=y', '?from=1e99&to=2e99', '?from=-1&to=1', '?from=8640000000001&to=8640000000002',
  '?from=2&to=1', '?from=1700000000', '?from=NaN&to=Infinity', '?span=constructor', '?span=__proto__',
  '?sort=constructor&up=%', 'queues/mail?from=x&to=y', 'jobs/%', 'jobs/%E0%A4%A', 'jobs/__proto__',
  'jobs?filter=%', 'jobs?filter=%ED%A0%80', 'jobs?filter="', 'failures?group=%', 'failures?view=%00',
  'batches/x?state=%', 'workers?id=%&queue=%', 'integrations?view=constructor', 'audit?view=%',
  'operations/%', 'workflows/%', 'schedules/%', '%', 'constructor',
];

module.exports = {
  'an odd address is a page all the same': async (browser, given) => {
    const { page, faults, context } = await open(browser, given, given.admin);
    await page.goto(given.url);
    await settle(page);
    for (const address of odd) {
      await visit(page, given.url + address);
      const head = await page.locator('main .head-title').textContent();
      assert.ok(!head.includes('cannot be shown'), `${address}: ${head}`);
    }
    // Two slashes in front: no link may name another host.
    await visit(page, `${given.url}/jobs?filter=queue%3Amail`);
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    const hosts = await page.locator('a[href]').evaluateAll((all) => [...new Set(all.map((each) => each.host))]);
    assert.deepEqual(hosts, [new URL(given.url).host]);
    await page.getByRole('button', { name: 'Take out queue:mail' }).click();
    await page.waitForURL(`${given.url}jobs`);
    await context.close();
    // The server refuses what is no id and no filter; the page says so.
    assert.deepEqual(faults.filter((each) => !/status of 40[04]/.test(each)), []);
  },

  'a link with a token that is none says so': async (browser, given) => {
    const { page, faults, context } = await open(browser, given, '');
    for (const text of ['%', '%E2%82%AC', 'a%0Ab']) {
      // From elsewhere: between two of the page's own addresses nothing is loaded.
      await page.goto('about:blank');
      await page.goto(`${given.url}#token=${text}`);
      await page.getByText('is not accepted').waitFor();
      assert.ok(!page.url().includes('token'), page.url());
    }
    await context.close();
    assert.deepEqual(faults.filter((each) => !/status of 401/.test(each)), []);
  },

  'a screen that cannot be drawn leaves the others alone': async (browser, given) => {
    const { page, context } = await open(browser, given, given.admin);
    await page.route('**/api/v1/queues', (route) => route.fulfill({ json: { items: [null], next: null } }));
    await page.goto(`${given.url}queues`);
    await page.getByRole('heading', { name: 'This screen cannot be shown' }).waitFor();
    await page.locator('nav a', { hasText: 'Workers' }).click();
    await page.getByRole('heading', { name: 'Workers', level: 1 }).waitFor();
    await context.close();
  },
};
