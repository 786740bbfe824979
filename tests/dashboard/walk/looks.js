'use strict';
// What every screen owes everybody: it loads, it can be read by all, it fits, and nothing that a
// stranger wrote runs.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { open, settle, visit } = require('./browser');
const { screens } = require('./screens');

const everything = ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'];
/// The rules that look at colours: a theme changes nothing else.
const ofColours = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

/// `styles`: with the rules that read the style sheet, which is one for all screens.
async function findings(page, runOnly, styles) {
  const result = await page.evaluate(
    (how) => window.axe.run(document, { resultTypes: ['violations'], ...how }),
    { runOnly, preload: styles },
  );
  return result.violations
    .filter((each) => ['serious', 'critical'].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.slice(0, 2).map((n) => n.target.join(' ')).join('; ')}`);
}

const wide = { width: 1280, height: 860 };
const narrow = { width: 360, height: 760 };

/// What is wrong with the screen under this name.
async function look(page, given, name, address) {
  const bad = [];
  await page.setViewportSize(wide);
  // Without loading the page anew: other walks load screens by their addresses.
  await visit(page, given.url + address);
  for (const [colorScheme, rules] of [['light', everything], ['dark', ofColours]]) {
    await page.emulateMedia({ colorScheme });
    const found = await findings(page, rules, name === 'overview');
    bad.push(...found.map((each) => `${name}, ${colorScheme}: ${each}`));
    await page.screenshot({ path: path.join(given.shots, `${name}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(narrow);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) bad.push(`${name}: ${over} px too wide`);
  await page.screenshot({ path: path.join(given.shots, `${name}-narrow.png`) });
  if (await page.evaluate(() => window.attacked !== undefined)) bad.push(`${name}: markup ran`);
  return bad;
}

module.exports = {
  'every screen loads, axe finds nothing serious in both themes, none scrolls sideways at 360 px': async (
    browser,
    given,
  ) => {
    const source = fs.readFileSync(path.join(given.modules, 'axe-core', 'axe.min.js'), 'utf8');
    const left = Object.entries(screens(given));
    const tab = async () => {
      const { page, faults, context } = await open(browser, given, given.admin);
      // Before the page's own policy holds: the page itself may run nothing of ours.
      await page.addInitScript(source);
      await page.goto(given.url);
      await settle(page);
      const bad = [];
      for (let next = left.shift(); next; next = left.shift()) bad.push(...(await look(page, given, ...next)));
      await context.close();
      return [...bad, ...faults];
    };
    // Two tabs, as there are two processors at least.
    const found = await Promise.all([tab(), tab()]);
    assert.deepEqual(found.flat(), []);
  },

  'a payload is shown digit by digit': async (browser, given) => {
    const { page, context } = await open(browser, given, given.admin);
    await page.goto(`${given.url}jobs/${given.jobs.waits}`);
    const payload = await page.getByRole('region', { name: 'Payload' }).textContent();
    await context.close();
    assert.match(payload, /12345678901234567890/);
    assert.match(payload, /onerror=/);
  },
};
