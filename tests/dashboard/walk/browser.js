'use strict';
// One browser, and what every page is watched for.

const path = require('path');

const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

async function start(given) {
  const { chromium } = require(path.join(given.modules, 'playwright-core'));
  const executablePath = process.env.CHROMIUM ?? known.find((each) => require('fs').existsSync(each));
  if (!executablePath) throw new Error('no chromium: run scripts/install-packages');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

/// A page of somebody with this token. `faults` collects what no page may do.
async function open(browser, given, token, more = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
    ...more,
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`${page.url()}: a dialog of the browser: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    // 404 of a processor that is not installed is an answer; the page says so in words.
    const missing = /\b404\b/.test(message.text()) && /webhooks|templates/.test(message.location().url);
    if (message.type() === 'error' && !missing) {
      faults.push(`${page.url()}: ${message.text()} ${message.location().url}`);
    }
  });
  if (token) {
    await page.addInitScript((text) => {
      // Once: a tab that signs out stays signed out.
      if (!sessionStorage.getItem('walk')) {
        sessionStorage.setItem('walk', 'yes');
        sessionStorage.setItem('libqueue.token', text);
      }
    }, token);
  }
  return { page, faults, context };
}

/// Until the screen shows what it has to show.
async function settle(page) {
  await page.waitForSelector('main h1');
  await page.locator('main .loading').first().waitFor({ state: 'detached' });
}

/// As a link of the page would, without loading it anew.
async function visit(page, url) {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, url);
  await settle(page);
}

const button = (page, name) => page.getByRole('button', { name, exact: true });

/// For what no locator can await. The page's policy forbids what the browser driver would evaluate.
async function until(what, condition) {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

module.exports = { start, open, settle, visit, button, until };
