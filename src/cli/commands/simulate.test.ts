import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Comparison } from '../../model/comparison.ts';
import { EPOCH_MS } from '../../advisor/testing/traffic.ts';
import { unitFacts, usageLines } from '../../advisor/testing/usage-export.ts';
import { World } from '../fixtures/run-cli.ts';

const START_MS = Date.UTC(2026, 0, 31);

describe('fulcrum simulate', () => {
  let world: World;

  before(async () => {
    world = await World.make();
    // Half a day of two functions: one seldom called, one that keeps a processor busy.
    const rows = Array.from({ length: 5_000 }, (_, i) => ({
      component: i % 50 === 0 ? 'report' : 'catalog',
      arrivedAtMs: START_MS + i * 8_640,
      durationMs: 40 + (i % 7) * 10,
      cpuMs: 20,
      memoryBytes: 256 * 1024 ** 2,
    }));
    await writeFile(join(world.folder, 'usage.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  });
  after(() => world.end());

  test('says first which mode is cheaper, and fits 80 columns', async () => {
    const ran = await world.run(['simulate', 'usage.jsonl', '--explain', '--book', 'all']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stderr, '', 'no bar where there is no terminal');
    const lines = ran.stdout.split('\n').slice(0, -1);
    for (const line of lines) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
    assert.match(
      lines[0]!,
      /^Function is cheaper by \$[\d,.]+ a month \(>?\d+ %\); p99 \d+ms, service \d+ms$/,
    );
    assert.equal(lines[1], 'jsonl · 2 functions · 5,000 arrivals in 12h · 0.12/s · seed 1');
    assert.match(lines[3]!, /^MODE +BOOK +A MONTH +P50 +P95 +P99 +COLD +MEAN +PEAK$/);
    assert.match(ran.stdout, /^function +aws-lambda-x86 +\$\d/m);
    assert.match(ran.stdout, /^service +aws-fargate-x86 +\$\d/m);
    assert.match(ran.stdout, /^2 of 2 are cheaper as a function/m);
    assert.match(ran.stdout, /^catalog +4,900 +\$/m);
    assert.match(ran.stdout, /^Requests +[\d.]+ million requests +- +0\.2 +\$/m);
    assert.ok(!ran.stdout.includes('\u001B'), 'no colours into a pipe');
  });

  test('--json is one document, of which every figure can be worked out', async () => {
    const ran = await world.run(['simulate', 'usage.jsonl', '--json']);
    const found = JSON.parse(ran.stdout) as Comparison;
    assert.equal(found.trace.arrivals, 5_000);
    assert.deepEqual(
      found.modes.map(({ mode, executed }) => [mode, executed]),
      [
        ['function', 5_000],
        ['service', 5_000],
      ],
    );
    for (const { perMonth, lines } of found.offers.filter((offer) => offer.perMonth !== null)) {
      const sum = lines.reduce((all, { amount }) => all + amount, 0);
      assert.ok(Math.abs(sum - perMonth!) < 0.005 + 1e-9);
      for (const { amount, parts } of lines) {
        const worked = parts.reduce((all, { quantity, price }) => all + quantity * price, 0);
        assert.ok(Math.abs(worked - amount) <= 1e-9 * Math.max(1, amount));
      }
    }
    // A month of 730 hours at 5,000 in 12 hours, $0.20 a million.
    const requests = found.offers[0]!.lines.find(({ id }) => id === 'requests')!;
    assert.ok(Math.abs(requests.amount - ((5_000 * 730) / 12 / 1e6) * 0.2) < 1e-9);
  });

  test('the same seed gives the same, to the last letter', async () => {
    const args = ['simulate', '--generate', 'bursty:1/s:2h', '--json', '--seed', '42'];
    const [first, second] = [await world.run(args), await world.run(args)];
    assert.equal(first.stdout, second.stdout);
    assert.notEqual(first.stdout, (await world.run([...args.slice(0, -1), '43'])).stdout);
  });

  test('bad rows are shown with their lines; --strict ends at the first', async () => {
    const broken = join(world.folder, 'broken.jsonl');
    await writeFile(broken, '{"time":"2026-01-31T00:00:00Z","durationMs":5}\nnonsense\n{"time":1}\n');
    const ran = await world.run(['simulate', 'broken.jsonl']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(
      ran.stdout,
      /\n2 bad rows were left out:\nbroken\.jsonl:2: found "nonsense", expected a JSON object on a line of its own\nbroken\.jsonl:3: found "1", expected arrivedAtMs/,
    );
    const strict = await world.run(['simulate', 'broken.jsonl', '--strict']);
    assert.equal(strict.code, 1);
    assert.equal(strict.stdout, '');
    assert.equal(
      strict.stderr,
      'error trace-invalid: broken.jsonl:2: found "nonsense", expected a JSON object on a line of its own.\n',
    );
  });

  test('what cannot be is refused in a sentence', async () => {
    const cases: [string[], number, RegExp][] = [
      [['simulate'], 2, /^error usage: Give the files of a trace, or --generate\./],
      [['simulate', 'usage.jsonl', '--generate', 'poisson:1/s:1h'], 2, /not both/],
      [['simulate', 'usage.jsonl', '--since', '3d'], 2, /--since is for an app's own usage/],
      [['simulate', 'none.log'], 1, /^error trace-invalid: none\.log cannot be read: ENOENT/],
      [['simulate', 'usage.jsonl', '--book', 'aws-lamda-x86'], 2, /Did you mean aws-lambda-x86\?/],
      [['simulate', 'usage.jsonl', '--format', 'azur'], 2, /Did you mean "azure"\?/],
      [['simulate', 'usage.jsonl', '--without', 'gatway'], 2, /Did you mean 'gateway'\?/],
      [['simulate', 'usage.jsonl', '--cpu', '30'], 2, /a share from 0 to 1/],
      [['simulate', 'usage.jsonl', '--duration', '1s,80ms'], 2, /p99 is less than p50/],
      [['simulate', '--generate', 'poisson:5:1d'], 2, /It is SHAPE:RATE:LENGTH such as poisson:5\/s:1d/],
      [['simulate', '--generate', 'poisson:9999999/s:366d'], 2, /1 to 100,000,000 arrivals/],
    ];
    for (const [args, code, said] of cases) {
      const ran = await world.run(args);
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
      assert.match(ran.stderr, said);
      assert.equal(ran.stdout, '');
    }
  });

  test('one mode or one book has no other to be compared with', async () => {
    const one = await world.run(['simulate', 'usage.jsonl', '--mode', 'service']);
    assert.match(one.stdout, /^As a service on aws-fargate-x86: \$[\d.]+ a month, p99 \d+ms\n/);
    const lambda = await world.run(['simulate', 'usage.jsonl', '--book', 'aws-lambda-arm']);
    assert.match(lambda.stdout, /^As a function on aws-lambda-arm: \$[\d.]+ a month, p99 \d+ms\n/);
  });

  test('without files it replays what a running app was asked, with its settings, and leaves no file', async () => {
    const { port, end } = await world.serve('shop');
    port.usageLines = usageLines(
      Array.from({ length: 600 }, (_, i) => ({ atMs: i * 6_000, durationMs: 50, cpuMs: 20 })),
      { spanMs: 3_600_000, facts: [unitFacts()] },
    );
    const before = await readdir(world.folder);
    const args = ['simulate', '--since', '2026-11-02', '--until', '2026-11-03', '--json'];
    const ran = await world.run(args);
    assert.equal(ran.code, 0, ran.stderr);
    const { trace, notes } = JSON.parse(ran.stdout) as Comparison;
    assert.deepEqual([trace.format, trace.arrivals, trace.fromMs], ['fulcrum', 600, EPOCH_MS]);
    assert.ok(notes.some((note) => note.startsWith('Each is replayed with its own settings')));
    assert.ok(notes.every((note) => !note.startsWith('CPU time') && !note.startsWith('Memory')));
    assert.deepEqual(port.asked, [
      { usage: { fromMs: EPOCH_MS, toMs: EPOCH_MS + 86_400_000, component: null, facts: true } },
    ]);
    assert.deepEqual(await readdir(world.folder), before);
    port.usageLines = usageLines([], { spanMs: 3_600_000 });
    const unused = await world.run(args);
    assert.equal(unused.code, 2);
    assert.match(
      unused.stderr,
      /^error usage: Nothing of shop@development was used from 2026-11-02T00:00:00\.000Z to /,
    );
    await end();
  });

  test('Ctrl-C ends it at once with 130, in the middle of a replay, and leaves nothing behind', async () => {
    const before = await readdir(world.folder);
    const running = world.start(['simulate', '--generate', 'poisson:1000/s:1d']);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const sentMs = performance.now();
    running.child.kill('SIGINT');
    const ran = await running.ended();
    assert.equal(ran.code, 130, ran.stderr);
    assert.ok(performance.now() - sentMs < 2_000, 'at once');
    assert.equal(ran.stdout, '');
    assert.deepEqual(await readdir(world.folder), before);
  });
});
