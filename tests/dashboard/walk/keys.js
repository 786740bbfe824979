'use strict';
// Without a mouse.

const assert = require('assert');
const { open, settle, until } = require('./browser');

module.exports = {
  'everything is reached by keys': async (browser, given) => {
    const { page, faults, context } = await open(browser, given, given.admin);
    const keys = page.keyboard;
    const heading = (name) => page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
    await page.goto(given.url);
    await settle(page);
    for (const [key, name] of [
      ['f', 'Failures'], ['q', 'Queues'], ['s', 'Schedules'], ['b', 'Batches'], ['w', 'Workers'],
      ['i', 'Integrations'], ['d', 'Database'], ['p', 'Operations'], ['a', 'Alerts'],
      ['u', 'Access'], ['c', 'Settings'], ['o', 'Overview'], ['j', 'Jobs'],
    ]) {
      await keys.press('g');
      await keys.press(key);
      await heading(name);
    }
    await settle(page);
    await keys.press('/');
    await keys.type('queue:mail');
    await keys.press('Enter');
    await page.waitForURL(/filter=queue%3Amail/);
    await until('all rows', async () => (await page.locator('main tbody tr').count()) > 30);
    await keys.press('Escape');
    await keys.press('j');
    await keys.press('j');
    await keys.press('x');
    await page.getByText('1 selected').waitFor();
    await keys.press('k');
    await keys.press('Enter');
    await page.waitForURL(/jobs\/\d+\?in=queue%3Amail/);
    await settle(page);
    await page.getByRole('link', { name: 'Older' }).waitFor();
    const before = page.url();
    await keys.press(']');
    await until('another job', async () => page.url() !== before);
    await keys.press('?');
    await page.getByRole('dialog').getByRole('heading', { name: 'Keys' }).waitFor();
    await keys.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    await keys.press('t');
    const first = await theme();
    await keys.press('t');
    assert.notEqual(await theme(), first);
    await keys.press('p');
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    await keys.press('p');
    await keys.press('Control+k');
    await page.getByRole('dialog').waitFor();
    await keys.type('schedules');
    await page.getByRole('option', { name: 'Schedules' }).waitFor();
    await keys.press('Enter');
    await heading('Schedules');
    await context.close();
    assert.deepEqual(faults, []);
  },
};
