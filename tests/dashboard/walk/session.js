'use strict';
// Who looks, and that nothing of him is left when another does.

const assert = require('assert');
const { button, open, settle, until } = require('./browser');

async function ask(given, token, method, path, body) {
  const answer = await fetch(`${given.url}api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

/// A viewer of a tenant that has nothing.
async function stranger(given, name) {
  const tenant = await ask(given, given.admin, 'POST', 'tenants', { name });
  const made = await ask(given, given.admin, 'POST', 'tokens', {
    name, role: 'viewer', tenant_id: tenant.id,
  });
  const { actor } = await ask(given, made.token, 'GET', 'whoami');
  return { token: made.token, actor };
}

async function leave(page) {
  await page.locator('.who summary').click();
  await button(page, 'Sign out').click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

async function enter(page, token) {
  await page.getByLabel('Access token').fill(token);
  await button(page, 'Sign in').click();
  await settle(page);
}

const seen = (page, actor) => page.locator(`.who summary[aria-label="Signed in as ${actor}"]`).waitFor();
const figure = (page, name) => page.locator('.figure', { hasText: name }).locator('.figure-value').textContent();

/// From now on the server is asked with a token it does not know.
function spoil(page, path) {
  return page.route(path, (route) => route.continue({
    headers: { ...route.request().headers(), authorization: 'Bearer lq_gone' },
  }));
}

async function turnedOut(page) {
  await page.getByText('has expired or was revoked').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('libqueue.token')), null);
}

module.exports = {
  'who signs in next sees nothing of who was there before': async (browser, given) => {
    const { token, actor } = await stranger(given, 'next');
    const { page, faults, context } = await open(browser, given, given.admin);
    await page.goto(given.url);
    await settle(page);
    await button(page, 'Live').waitFor();
    assert.notEqual(await figure(page, 'Ready'), '0');
    await page.keyboard.press('p');
    await button(page, 'Paused').waitFor();
    await leave(page);
    // Without the stream nothing replaces what was kept.
    let release;
    const held = new Promise((done) => (release = done));
    const asked = [];
    await page.route('**/api/v1/stream', async (route) => {
      asked.push(route.request().headers());
      await held;
      await route.continue();
    });
    await enter(page, token);
    await seen(page, actor);
    assert.equal(await figure(page, 'Ready'), '0');
    assert.equal(await figure(page, 'Dead'), '0');
    await until('the stream is asked for', () => asked.length > 0);
    assert.equal(asked[0].authorization, `Bearer ${token}`);
    assert.equal(asked[0]['last-event-id'], undefined);
    release();
    await button(page, 'Live').waitFor();
    await context.close();
    assert.deepEqual(faults, []);
  },

  'a link with another token changes who looks, and closes what was open': async (browser, given) => {
    const { token, actor } = await stranger(given, 'link');
    const { page, context } = await open(browser, given, given.admin);
    await page.goto(`${given.url}audit?view=tokens`);
    await settle(page);
    await button(page, 'New token').click();
    await page.getByLabel('Name').fill('shown-once');
    await button(page, 'Make the token').click();
    const secret = await page.locator('.secret code').textContent();
    await page.evaluate((text) => (location.hash = `token=${text}`), token);
    await seen(page, actor);
    assert.ok(!page.url().includes('token='), page.url());
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.ok(!(await page.content()).includes(secret));
    await context.close();
  },

  'an answer to somebody who has left is shown to nobody': async (browser, given) => {
    const { page, faults, context } = await open(browser, given, given.admin);
    let release;
    const left = new Promise((done) => (release = done));
    await page.route('**/api/v1/operations', async (route) => {
      await left;
      await route.continue();
    });
    await page.goto(`${given.url}failures`);
    await settle(page);
    await button(page, 'Replay all').click();
    await leave(page);
    await enter(page, given.viewer);
    await seen(page, (await ask(given, given.viewer, 'GET', 'whoami')).actor);
    const answered = page.waitForResponse('**/api/v1/operations');
    release();
    await (await answered).finished();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.equal(await page.locator('.toast').count(), 0);
    await context.close();
    assert.deepEqual(faults, []);
  },

  'a token that is refused signs out, whoever hears it: the stream': async (browser, given) => {
    const { page, context } = await open(browser, given, given.admin);
    await page.goto(`${given.url}settings`);
    await button(page, 'Live').waitFor();
    await spoil(page, '**/api/v1/stream');
    await page.keyboard.press('p');
    await button(page, 'Paused').waitFor();
    await page.keyboard.press('p');
    await turnedOut(page);
    await context.close();
  },

  'a token that is refused signs out, whoever hears it: a list': async (browser, given) => {
    const { page, context } = await open(browser, given, given.admin);
    await page.clock.install();
    await page.goto(`${given.url}jobs`);
    await page.locator('main tbody tr').first().waitFor();
    await spoil(page, '**/api/v1/jobs?*');
    await page.clock.fastForward(5500);
    await turnedOut(page);
    await context.close();
  },

  'a token that is refused signs out, whoever hears it: an action': async (browser, given) => {
    const { page, context } = await open(browser, given, given.admin);
    await page.goto(`${given.url}failures`);
    await settle(page);
    await spoil(page, '**/api/v1/operations');
    await button(page, 'Replay all').click();
    await turnedOut(page);
    await enter(page, given.viewer);
    assert.equal(await page.locator('.toast').count(), 0);
    await context.close();
  },

  'an answer that takes longer than its interval comes': async (browser, given) => {
    for (const [address, path] of [['queues', '**/api/v1/queues'], ['jobs', '**/api/v1/jobs?*']]) {
      const { page, context } = await open(browser, given, given.admin);
      await page.clock.install();
      let asked = 0;
      let release;
      const slow = new Promise((done) => (release = done));
      await page.route(path, async (route) => {
        asked++;
        await slow;
        await route.continue().catch(() => undefined);
      });
      await page.goto(given.url + address);
      await until(`${address} is asked for`, () => asked === 1);
      // Three intervals at least; whoever would ask anew has done so by then.
      for (let turn = 0; turn < 3; turn++) await page.clock.fastForward(6000);
      assert.equal(asked, 1, `${address}: asked again while it was asked`);
      release();
      await page.locator('main tbody tr').first().waitFor();
      // And then again, as ever.
      await page.clock.fastForward(6000);
      await until(`${address} is asked for again`, () => asked > 1);
      await context.close();
    }
  },
};
