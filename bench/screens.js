'use strict';
// Opens every screen of the dashboard again and again, as the dashboard's tests know them, and
// prints how many milliseconds each took until it showed what it has to show, and the overview until
// its first paint. The argument is JSON:
// modules, url, admin, jobs, batch, queue, schedule, rounds.

const { performance } = require('perf_hooks');
const walk = '../tests/dashboard/walk';
const { start, open, settle } = require(`${walk}/browser`);
const { screens } = require(`${walk}/screens`);

const given = JSON.parse(process.argv[2]);

/// Milliseconds from navigation until the browser showed the first text or drawing, as it says itself.
function firstPaint(page) {
  return page.evaluate(() => new Promise((done) => {
    const watch = new PerformanceObserver((list) => {
      const [found] = list.getEntriesByName('first-contentful-paint');
      if (!found) return;
      watch.disconnect();
      done(found.startTime);
    });
    watch.observe({ type: 'paint', buffered: true });
  }));
}

async function main() {
  const browser = await start(given);
  const { page, faults } = await open(browser, given, given.admin);
  page.setDefaultTimeout(60_000);
  // What the screen asked for and did not get is no usable screen.
  page.on('response', (answer) => {
    if (answer.status() >= 400) faults.push(`${answer.status()} ${answer.url()}`);
  });
  await page.goto(given.url);
  await settle(page);
  const took = {};
  const painted = [];
  for (let round = 0; round < given.rounds; round++) {
    for (const [name, address] of Object.entries({ ...screens(given), 'jobs-all': 'jobs' })) {
      const began = performance.now();
      await page.goto(given.url + address, { waitUntil: 'commit' });
      await settle(page);
      (took[name] ??= []).push(performance.now() - began);
      if (name === 'overview') painted.push(await firstPaint(page));
    }
  }
  await browser.close();
  console.log(JSON.stringify({ took, painted, faults }));
}

main().catch((failure) => {
  console.error(failure);
  process.exit(2);
});
