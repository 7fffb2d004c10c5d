import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { minuteLine, unitFacts, usageLines } from '../../control/fixtures/usage-lines.ts';
import type { FakePort } from '../../control/fixtures/fake-port.ts';
import { openBook } from '../../meter/price-book.ts';
import type { BillReport } from '../../model/bill-report.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import { World, type Ran } from '../fixtures/run-cli.ts';

const SPAN = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2), component: null, facts: true };
const STRETCH = ['--since', '2026-01-01', '--until', '2026-01-02'];

describe('fulcrum bill', () => {
  let world: World;
  let port: FakePort;

  before(async () => {
    world = await World.make();
    ({ port } = await world.serve('shop'));
  });
  after(() => world.end());
  beforeEach(() => {
    port.asked.length = 0;
    // The storefront's facts, and no arrivals that nobody could read.
    port.usageLines = usageLines(SPAN).flatMap((line): UsageLine[] => {
      if (line.kind === 'arrivals' || line.kind === 'end') return [];
      if (line.kind !== 'usage') return [line];
      const storefront = unitFacts({ unit: 'storefront', members: ['storefront'], mode: 'service' });
      return [{ ...line, facts: [unitFacts(), storefront] }];
    });
    port.usageLines = [...port.usageLines, { kind: 'end', lines: port.usageLines.length }];
  });

  const run = (...args: string[]): Promise<Ran> => world.run(['bill', ...STRETCH, ...args]);
  const json = async (...args: string[]): Promise<BillReport> => {
    const ran = await run('--json', ...args);
    assert.equal(ran.code, 0, ran.stderr);
    return JSON.parse(ran.stdout) as BillReport;
  };

  test('fits 80 columns: the answer, what was used, what it cost, and what may be missing', async () => {
    for (const args of [
      [],
      ['--by', 'day'],
      ['--by', 'app'],
      ['--lines', '--book', 'all', '--machine', '40/month,4,8'],
    ]) {
      const ran = await run(...args);
      assert.equal(ran.code, 0, ran.stderr);
      for (const line of ran.stdout.split('\n'))
        assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
      assert.ok(!ran.stdout.includes('\u001B'), 'no colours into a pipe');
    }
    const { stdout } = await run();
    assert.match(stdout, /^As it ran: \$\S+ on aws-lambda-x86 and aws-fargate-x86; all as functions\s/);
    assert.match(
      stdout,
      /^shop · production · 2026-01-01 22:00 to 2026-01-02 00:00 UTC · 2h · 7,224 calls$/m,
    );
    assert.match(stdout, /^A server ended without a word, and usage may be missing: 2026-01-01 22:00:00 to/m);
    assert.match(stdout, /^catalog +function +24 +12 +480ms +96ms +- +- +- +234 KB$/m);
    assert.match(stdout, /^storefront +service +7,200 +- +72s +12s +2h +900 GBs +422 GBs +2\.3 MB$/m);
    assert.match(stdout, /^storefront +service +\$0\.\d+ +~\$0\.\d+ +\$0\.\d+$/m);
    assert.match(stdout, /^all services +aws-fargate-x86 +\$0\.\d+\* +\$\d+\.\d\d +partly replay$/m);
  });

  test('asks for the stretch and all that is known, once', async () => {
    await run();
    assert.deepEqual(port.asked, [{ usage: SPAN }]);
  });

  test('as JSON has all of it', async () => {
    const report = await json('--machine', '40EUR/month,4,8', '--without', 'gateway');
    assert.deepEqual(
      report.units.map(({ unit, modes, executed }) => [unit, modes, executed]),
      [
        ['catalog', ['function'], 24],
        ['storefront', ['service'], 7_200],
      ],
    );
    assert.deepEqual(
      report.books.map(({ id, currency }) => [id, currency]),
      [
        ['aws-lambda-x86', 'USD'],
        ['aws-fargate-x86', 'USD'],
        ['own-machine', 'EUR'],
      ],
    );
    assert.ok(report.offers.every(({ lines }) => lines.every(({ id }) => id !== 'gateway-requests')));
    assert.equal(
      report.offers.find(({ book, mode }) => book === 'own-machine' && mode === null)!.perMonth,
      40,
    );
    assert.equal(report.gaps.length, 1);
  });

  test('takes a book of the user’s own', async () => {
    const file = join(world.folder, 'mine.json');
    const book = openBook('aws-lambda-x86');
    await writeFile(file, JSON.stringify({ ...book, id: 'mine', currency: 'EUR' }));
    const report = await json('--book', file);
    assert.deepEqual(
      report.offers.map(({ book: id, scenario, currency }) => [id, scenario, currency]),
      [
        ['mine', 'as-it-ran', 'EUR'],
        ['mine', 'function', 'EUR'],
      ],
    );
    assert.equal(report.cheapest.service, null);
  });

  test('writes FOCUS columns to a file, beside the bill, or alone to standard output', async () => {
    const file = join(world.folder, 'focus.csv');
    const ran = await run('--focus', file);
    const [head, ...rows] = (await readFile(file, 'utf8')).trimEnd().split('\n');
    assert.equal(ran.stderr, `${file}: ${rows.length} charges\n`);
    assert.match(ran.stdout, /^As it ran/);
    assert.match(head!, /^BilledCost,BillingAccountId,/);
    assert.ok(
      rows.length >= 10 && rows.every((row) => /,(?:as-it-ran|function|service),(?:true|false)$/.test(row)),
    );
    assert.equal((await run('--focus', '-')).stdout, `${[head, ...rows].join('\n')}\n`);
  });

  test('says so where nothing was used', async () => {
    port.usageLines = [usageLines(SPAN)[0]!, { kind: 'end', lines: 1 }];
    const ran = await run();
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stdout, 'Nothing of shop was used in this time.\n');
    assert.deepEqual((await json('--by', 'day')).rows, []);
  });

  test('names a component that is gone as it was counted', async () => {
    const lines = port.usageLines!.slice(0, -1) as UsageLine[];
    const minuteMs = SPAN.toMs - 60_000;
    const all = [...lines, minuteLine({ component: 'old\u001B[2J', minuteMs })];
    port.usageLines = [...all, { kind: 'end', lines: all.length }];
    const ran = await run();
    assert.match(ran.stdout, /^old +function +2 /m);
    assert.match(ran.stdout, /^old: not in what serves now/m);
  });

  test('says what is wrong with what it was asked', async () => {
    for (const [args, what] of [
      [['--book', 'aws-lamda-x86'], /Did you mean aws-lambda-x86\?/],
      [['--by', 'hour'], /component, day, app/],
      [['--machine', 'cheap'], /It is a price a month, and perhaps vCPUs and GB: 40\/month/],
      [['--machine', '40,0,8'], /It is a price a month/],
      [['--json', '--focus', '-'], /give --focus a file/],
    ] as const) {
      const ran = await run(...args);
      assert.equal(ran.code, 2, args.join(' '));
      assert.match(ran.stderr, what);
    }
    assert.deepEqual(port.asked, []);
    const ran = await run('--without', 'load-balancer', '--without', 'gatway');
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /No book has a line 'gatway'\. Did you mean 'gateway'\?/);
  });
});
