'use strict';
// How soon there is something to see.

const assert = require('assert');
const { open, settle } = require('./browser');

module.exports = {
  'the first paint comes soon': async (browser, given) => {
    const { page, context } = await open(browser, given, given.admin);
    await page.goto(given.url);
    await settle(page);
    await page.goto(given.url);
    await settle(page);
    const ms = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0].startTime,
    );
    await context.close();
    // On a machine that does nothing else it is a fifth of this.
    assert.ok(ms < 1500, `${ms} ms`);
    return `${Math.round(ms)} ms`;
  },
};
