// What the dashboard makes of what it is told, without a browser. Bundled and run by
// scripts/build-dashboard --check.

import assert from 'node:assert/strict';
import { cronWords } from '../../workerd/dashboard/src/core/cron';
import { event_reader } from '../../workerd/dashboard/src/core/event_reader';
import * as filter from '../../workerd/dashboard/src/core/filter';
import * as format from '../../workerd/dashboard/src/core/format';
import { json_text, pretty, readJson, tokens } from '../../workerd/dashboard/src/core/json';

const checks = {
  'json: large integers keep their digits, others are numbers'() {
    const read = readJson('{"a":12345678901234567890,"b":-9007199254740993,"c":42,"d":1e3,"e":2.50}');
    assert.deepEqual({ ...read }, { a: '12345678901234567890', b: '-9007199254740993', c: 42, d: 1000, e: 2.5 });
  },
  'json: reads what JSON.parse reads, and refuses what it refuses'() {
    const good = ['null', '[]', ' [1, "a\\u00e9\\n\\"", {"x":{}}] ', '{"":0}', '"\\\\"', '-0.5e-7', '[[[]]]'];
    for (const text of good) {
      assert.equal(JSON.stringify(readJson(text)), JSON.stringify(JSON.parse(text)), text);
    }
    for (const text of ['', '{', '[1,]', '{"a"}', '"a', 'tru', '1 2', '{a:1}', '[1 2]', '-']) {
      assert.throws(() => readJson(text), SyntaxError, text);
    }
  },
  'json: a member called __proto__ is a member and nothing else'() {
    const read = readJson('{"__proto__":{"polluted":true}}');
    assert.equal({}.polluted, undefined);
    assert.equal(read.polluted, undefined);
  },
  'json: what users wrote stays the text it came as'() {
    const read = readJson('{"payload":{"n": 1.10, "m":12345678901234567890},"id":7}', new Set(['payload']));
    assert.ok(read.payload instanceof json_text);
    assert.equal(read.payload.text, '{"n": 1.10, "m":12345678901234567890}');
    assert.equal(readJson('{"payload":null}', new Set(['payload'])).payload, null);
  },
  'json: tokens and indentation change no character of a value'() {
    const text = '{"a":[1.10,true,null,"x{}[],:\\"y"],"b":{},"c":[],"d":12345678901234567890}';
    assert.equal(tokens(text).map((t) => t.text).join(''), text);
    assert.equal(pretty(text).replace(/\n */g, '').replace(/": /g, '":'), text);
    assert.ok(pretty(text).includes('"b": {}'));
    // Not JSON: shown all the same.
    assert.equal(tokens('<b>"').map((t) => t.text).join(''), '<b>"');
  },
  'filter: terms, with quotes, negation and free words'() {
    const found = filter.terms('state:dead,retrying -tag:"a b" error:"say \\"no\\"" word args.user.id:42');
    assert.deepEqual(
      found.map((t) => [t.negated, t.name, t.value]),
      [[false, 'state', 'dead,retrying'], [true, 'tag', 'a b'], [false, 'error', 'say "no"'],
        [false, '', 'word'], [false, 'args.user.id', '42']],
    );
  },
  'filter: a term is taken out, set and quoted without touching the others'() {
    assert.equal(filter.without('a:1 b:2 c:3', 1), 'a:1 c:3');
    assert.equal(filter.withTerm('queue:mail state:dead', 'state', 'ready,running'), 'state:ready,running queue:mail');
    assert.equal(filter.withTerm('queue:mail state:dead', 'state', ''), 'queue:mail');
    assert.equal(filter.withTerm('-state:dead', 'state', 'ready'), 'state:ready -state:dead');
    for (const value of ['plain', 'two words', 'a"b', 'back\\slash', 'x:y', '']) {
      assert.equal(filter.terms(`error:${filter.quoted(value)}`)[0].value, value);
    }
  },
  'stream: events come whole, however they are cut'() {
    const text = 'id: 1\nevent: overview\ndata: {"a":1}\n\n: beat\r\n\r\ndata:x\ndata: y\r\rid: 7\ndata: z\n\n';
    for (let cut = 1; cut < text.length; cut++) {
      const seen = [];
      const reader = new event_reader((name, data) => seen.push([name, data]));
      for (let at = 0; at < text.length; at += cut) reader.feed(text.slice(at, at + cut));
      assert.deepEqual(seen, [['overview', '{"a":1}'], ['message', 'x\ny'], ['message', 'z']], `cut ${cut}`);
      assert.equal(reader.id, '7');
    }
  },
  'format: figures that are not there are a dash, never a zero'() {
    for (const one of [format.count, format.short, format.rate, format.percent, format.bytes, format.duration, format.seconds]) {
      for (const nothing of [null, undefined, '', 'abc']) assert.equal(one(nothing), '–');
    }
    assert.equal(format.estimate(3_200_411, false), '~3.2 M');
    assert.equal(format.estimate(1204, true), '1,204');
    assert.equal(format.bytes(1536), '1.5 kB');
    assert.equal(format.duration(192_000), '3m 12s');
    assert.equal(format.duration(-90_000), '−1m 30s');
    assert.equal(format.duration(86_400_000 * 3), '3d');
    assert.equal(format.secondsOf('1h 30m'), 5400);
    assert.equal(format.secondsOf('soon'), null);
  },
  'format: times in the forms of PostgreSQL and ISO'() {
    const wanted = Date.UTC(2026, 10, 21, 18, 4, 5);
    for (const text of ['2026-11-21 18:04:05+00', '2026-11-21T18:04:05Z', '2026-11-21T19:04:05.000000+01:00']) {
      assert.equal(format.instant(text), wanted, text);
    }
    assert.equal(format.instant('never'), null);
    assert.equal(format.absolute(wanted, 'utc'), '2026-11-21 18:04:05Z');
    assert.equal(format.ago(wanted, wanted + 3000), '3s ago');
    assert.equal(format.ago(wanted, wanted - 3_600_000), 'in 1h');
  },
  'format: a number that is no time of a calendar is no time'() {
    for (const value of [1e20, -1e17, NaN, Infinity]) assert.equal(format.instant(value), null, String(value));
    assert.equal(format.instant(1.7e15), 1.7e12);
  },
  'format: the time of a chart is what the address says, and the last hour when that is none'() {
    const at = 1_700_000_000;
    assert.deepEqual(format.rangeOf('1699990000', '1699999000', '', at),
      { from: 1699990000, to: 1699999000, step: 60, chosen: true });
    const hour = format.rangeOf('', '', '', at);
    assert.equal(hour.to - hour.from, 3600);
    assert.ok(hour.to <= at && at - hour.to < hour.step);
    for (const [from, to] of [['x', 'y'], ['1e99', '2e99'], ['-1', '1'], ['2', '1'], ['1', ''], ['', '1'], ['NaN', 'Infinity']]) {
      assert.deepEqual(format.rangeOf(from, to, '', at), hour, `${from} to ${to}`);
    }
    for (const span of ['constructor', '__proto__', '9h']) assert.deepEqual(format.rangeOf('', '', span, at), hour, span);
    const week = format.rangeOf('', '', '7d', at);
    assert.deepEqual([week.to - week.from, week.step], [604800, 3360]);
  },
  'cron: the common shapes in words, others in none'() {
    const words = {
      '*/5 * * * *': 'every 5 minutes', '0 3 * * *': 'every day at 03:00', '30 9 * * 1-5': 'Monday to Friday at 09:30',
      '0 0 1 * *': 'on day 1 of each month at 00:00', '15 * * * *': 'every hour at minute 15', '@daily': 'every day at 00:00',
      '0 30 2 * * *': 'every day at 02:30', '@every 90s': 'every 90s', '0 9 LW * ?': '', '5 4 * 2 *': '', nonsense: '',
      '0 8 * * 7': 'every Sunday at 08:00',
    };
    for (const [cron, text] of Object.entries(words)) assert.equal(cronWords(cron), text, cron);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    check();
  } catch (failure) {
    failed++;
    console.error(`FAILED ${name}\n${failure.message}`);
  }
}
console.log(`dashboard core: ${Object.keys(checks).length} checks, ${failed} failed`);
process.exit(failed ? 1 : 0);
