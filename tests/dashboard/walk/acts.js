'use strict';
// What people do; the caller looks into the database afterwards.

const assert = require('assert');
const { button, open, settle, until, visit } = require('./browser');

/// One tab for all that an administrator does: a tab costs more than most of it.
let tab = null;

async function at(browser, given, address, work) {
  tab ??= await open(browser, given, given.admin);
  const { page, faults } = tab;
  faults.length = 0;
  await page.goto(given.url + address);
  await settle(page);
  await work(page);
  assert.deepEqual(faults, []);
}

module.exports = {
  close: () => tab?.context.close(),

  'a link with a token signs in and loses the token': async (browser, given) => {
    const { page, context } = await open(browser, given, '');
    await page.goto(`${given.url}#token=${given.admin}`);
    await settle(page);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    assert.ok(!page.url().includes('token'), page.url());
    await context.close();
  },

  'without a token there is nothing to see, with a wrong one neither': async (browser, given) => {
    const { page, context } = await open(browser, given, '');
    await page.goto(`${given.url}jobs`);
    await page.getByLabel('Access token').fill('lq_wrong');
    await button(page, 'Sign in').click();
    await page.getByText('is not accepted').waitFor();
    assert.equal(await page.locator('table').count(), 0);
    await page.getByLabel('Access token').fill(given.viewer);
    await button(page, 'Sign in').click();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await context.close();
  },

  'a filter goes into the address and back': (browser, given) =>
    at(browser, given, 'jobs', async (page) => {
      const input = page.getByRole('combobox', { name: 'Filter of jobs' });
      await input.fill('queue:mail state:scheduled');
      await input.press('Enter');
      await page.waitForURL(/filter=queue%3Amail\+state%3Ascheduled/);
      const rows = page.locator('main tbody tr');
      await until('one row', async () => (await rows.count()) === 1);
      await page.getByRole('button', { name: 'Take out state:scheduled' }).click();
      await until('all rows', async () => (await rows.count()) > 30);
      await page.goBack();
      await page.waitForURL(/state%3Ascheduled/);
      await until('the filter of before', async () => (await input.inputValue()) === 'queue:mail state:scheduled');
      await page.reload();
      await settle(page);
      assert.equal(await input.inputValue(), 'queue:mail state:scheduled');
    }),

  'an unknown word is told, not ignored': async (browser, given) => {
    const { page, context } = await open(browser, given, given.admin);
    await page.goto(`${given.url}jobs?filter=qeue%3Amail`);
    const told = await page.getByRole('alert').textContent();
    await context.close();
    assert.match(told, /qeue/);
  },

  'a dead job is retried': (browser, given) =>
    at(browser, given, `jobs/${given.jobs['dead-retry']}`, async (page) => {
      await button(page, 'Retry').click();
      await page.getByText('stands in line').waitFor();
    }),

  'a scheduled job is cancelled': (browser, given) =>
    at(browser, given, `jobs/${given.jobs['cancel-me']}`, async (page) => {
      await button(page, 'Cancel').click();
      await button(page, 'Cancel the job').click();
      await page.getByText('is cancelled').waitFor();
      await page.locator('h1 .badge', { hasText: 'cancelled' }).waitFor();
    }),

  'one dead letter is replayed': (browser, given) =>
    at(browser, given, 'failures?view=letters', async (page) => {
      await button(page, `Replay ${given.jobs['dead-replay']}`).click();
      await page.getByText('stands in line').waitFor();
    }),

  'a group is replayed only when its count is typed, and can be undone': (browser, given) =>
    at(browser, given, 'failures', async (page) => {
      await page.locator('.group-open').first().click();
      await button(page, 'Replay').click();
      const dialog = page.getByRole('dialog');
      const go = dialog.getByRole('button', { name: /^Replay \d/ });
      assert.ok(await go.isDisabled());
      const count = (await go.textContent()).replace(/\D/g, '');
      await dialog.getByLabel(/to go on/).fill(count);
      await go.click();
      await page.getByText(/begins in 10 s/).waitFor();
      await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
      await page.getByText(/Operation \d+ is cancelled/).waitFor();
    }),

  'a queue is paused with a reason': (browser, given) =>
    at(browser, given, 'queues/mail', async (page) => {
      await button(page, 'Pause mail').click();
      await page.getByLabel('Reason').fill('seen in a browser');
      await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
      await page.locator('main .banner', { hasText: 'seen in a browser' }).waitFor();
    }),

  'a worker is quiet when asked, goes on, and stops only by its name': (browser, given) =>
    at(browser, given, 'workers', async (page) => {
      await page.locator('main tbody a.strong').first().click();
      const panel = page.locator('section', { has: page.getByRole('heading', { name: /^Worker / }) });
      await panel.getByRole('button', { name: /^Stop / }).click();
      assert.ok(await page.getByRole('dialog').getByRole('button', { name: 'Stop the worker' }).isDisabled());
      await page.keyboard.press('Escape');
      await panel.getByRole('button', { name: /^Quiet / }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Quiet' }).click();
      await panel.locator('.badge', { hasText: /^quiet$/ }).waitFor();
      await panel.getByRole('button', { name: /^Resume / }).click();
      await panel.locator('.badge', { hasText: /^live$/ }).waitFor();
    }),

  'a new row waits until it is asked for': (browser, given) =>
    at(browser, given, '', async (page) => {
      await page.clock.install();
      await visit(page, `${given.url}jobs?filter=kind%3Adebug.noop`);
      await page.getByText('No job matches').waitFor();
      await page.evaluate(async (token) => {
        await fetch('api/v1/jobs', {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: '{"kind":"debug.noop","payload":{},"queue":"idle"}',
        });
      }, given.admin);
      await page.clock.fastForward(5500);
      await page.getByRole('button', { name: '1 new: show' }).click();
      await page.locator('main tbody tr').first().waitFor();
    }),
};
