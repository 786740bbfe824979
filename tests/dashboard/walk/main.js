'use strict';
// Walks through the dashboard of a real workerd. Prints a line for each check; exits with 1 when one
// failed. The argument is JSON: modules, url, admin, viewer, jobs, batch, shots. WALK, an expression,
// names the checks to run.

const { start } = require('./browser');

const given = JSON.parse(process.argv[2]);
const only = new RegExp(process.env.WALK ?? '');
/// What is timed has the machine for itself; then what cannot disturb each other runs side by side.
const turns = [
  [['paint']],
  [['looks'], ['acts', 'session'], ['rights', 'keys', 'address']],
];

async function run(browser, [name, check]) {
  const began = Date.now();
  try {
    const note = await check(browser, given);
    console.log(`ok ${name} (${Date.now() - began} ms)${note ? `: ${note}` : ''}`);
    return 0;
  } catch (failure) {
    console.log(`FAILED ${name}: ${failure.message}`);
    return 1;
  }
}

async function lane(browser, parts) {
  let failed = 0;
  for (const part of parts) {
    const { close, ...checks } = require(`./${part}`);
    const wanted = Object.entries(checks).filter(([name]) => only.test(name));
    for (const check of wanted) failed += await run(browser, check);
    await close?.();
  }
  return failed;
}

async function main() {
  const browser = await start(given);
  let failed = 0;
  for (const lanes of turns) {
    const counts = await Promise.all(lanes.map((parts) => lane(browser, parts)));
    failed += counts.reduce((all, each) => all + each, 0);
  }
  await browser.close();
  process.exit(failed ? 1 : 0);
}

main().catch((failure) => {
  console.error(failure);
  process.exit(2);
});
