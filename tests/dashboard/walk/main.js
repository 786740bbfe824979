'use strict';
// Walks through the dashboard of a real workerd. Prints a line for each check; exits with 1 when one
// failed. The argument is JSON: modules, url, admin, viewer, jobs, batch, shots.

const { start } = require('./browser');

const given = JSON.parse(process.argv[2]);
const parts = ['looks', 'acts', 'rights', 'keys'].map((name) => require(`./${name}`));
const only = process.env.WALK;

async function main() {
  const browser = await start(given);
  let failed = 0;
  for (const part of parts) {
    for (const [name, check] of Object.entries(part)) {
      if (only && !name.includes(only)) continue;
      const began = Date.now();
      try {
        const note = await check(browser, given);
        console.log(`ok ${name} (${Date.now() - began} ms)${note ? `: ${note}` : ''}`);
      } catch (failure) {
        failed++;
        console.log(`FAILED ${name}: ${failure.message}`);
      }
    }
  }
  await browser.close();
  process.exit(failed ? 1 : 0);
}

main().catch((failure) => {
  console.error(failure);
  process.exit(2);
});
