import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Advice } from '../../model/advice.ts';
import { unitFacts, usageLines, type Ran } from '../../advisor/testing/usage-export.ts';
import { World, type Ran as Finished } from '../fixtures/run-cli.ts';

const HOUR_MS = 3_600_000;
const HOURS = 12;

describe('fulcrum advise', () => {
  let world: World;
  const run = async (...args: string[]): Promise<Finished> => {
    const ran = await world.run(['advise', ...args]);
    for (const line of ran.stdout.split('\n'))
      assert.ok(args.includes('--json') || Array.from(line).length <= 80, `too wide: ${line}`);
    return ran;
  };

  before(async () => {
    world = await World.make();
    const ran: Ran[] = Array.from({ length: 600 }, (_, i) => ({
      component: i % 2 === 0 ? 'cart' : 'mail',
      mode: 'service',
      atMs: (i * HOURS * HOUR_MS) / 600,
      durationMs: 40 + (i % 7) * 10,
      cpuMs: 10,
    }));
    const facts = [
      unitFacts({ unit: 'core', members: ['cart', 'mail'], kind: 'group', mode: 'service' }),
      unitFacts({ unit: 'idle' }),
    ];
    const lines = (of: typeof facts): string =>
      usageLines(ran, { spanMs: HOURS * HOUR_MS, facts: of })
        .map((line) => `${JSON.stringify(line)}\n`)
        .join('');
    await writeFile(join(world.folder, 'shop.jsonl'), lines(facts));
    await writeFile(join(world.folder, 'bare.jsonl'), lines([]));
    await writeFile(join(world.folder, 'cut.jsonl'), lines(facts).split('\n').slice(0, 9).join('\n'));
    const rows = ran.map(({ component, atMs, durationMs }) => ({
      component,
      arrivedAtMs: Date.UTC(2026, 0, 31) + atMs,
      durationMs,
    }));
    await writeFile(join(world.folder, 'trace.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  });
  after(() => world.end());

  test('has a line for each unit of exported usage, and first what to do', async () => {
    const { code, stdout, stderr } = await run('--trace', 'shop.jsonl');
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n');
    assert.match(lines[0]!, /^Switch core to a function: that saves \$[\d.]+ a month\.$/);
    assert.match(lines[1]!, /^600 invocations in 12h · aws-lambda-x86, aws-fargate-x86 · seed 1$/);
    assert.match(stdout, /^core +service +function +\$\d/m);
    assert.match(stdout, /^idle +function +\? .*needs 50 more invocations$/m);
    assert.ok(!stdout.includes('\u001B'), 'no colours into a pipe');
  });

  test('tells all of one, with its chart, and the same as a picture', async () => {
    const { code, stdout, stderr } = await run('core', '--trace', 'shop.jsonl', '--chart', 'core.svg');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^Make core a function: it saves \$[\d.]+ a month \(>?\d+ %\)\.\n\S/);
    assert.match(stdout, /▲ now /);
    const svg = await readFile(join(world.folder, 'core.svg'), 'utf8');
    assert.match(svg, /^<svg [^>]*role="img"/);
    assert.match(svg, /<desc id="desc">Make core a function: it saves/);
  });

  test('--json has what it rests on, and the same seed gives the same', async () => {
    const first = await run('--trace', 'shop.jsonl', '--json', '--seed', '7');
    const told = JSON.parse(first.stdout) as { app: string; advice: Advice[] };
    assert.equal(told.app, 'shop');
    const [core] = told.advice;
    assert.deepEqual([core!.unit, core!.verdict.kind, core!.evidence.arrivals], ['core', 'switch', 600]);
    assert.deepEqual([core!.evidence.source, core!.evidence.seed], ['usage', 7]);
    assert.equal((await run('--trace', 'shop.jsonl', '--json', '--seed', '7')).stdout, first.stdout);
  });

  test('a trace of anything gives advice on what might be built', async () => {
    const { code, stdout } = await run('--trace', 'trace.jsonl', '--memory', '256MB', '--cpu', '30%');
    assert.equal(code, 0);
    assert.match(stdout, /^(?:Run cart and mail as a function|Run mail and cart as a function): that saves/);
    assert.match(stdout, /^cart +- +function /m);
    assert.doesNotMatch(stdout, /fulcrum mode/);
    const one = JSON.parse((await run('cart', '--trace', 'trace.jsonl', '--json')).stdout) as {
      advice: Advice[];
    };
    assert.deepEqual(
      one.advice.map(({ unit, present, evidence }) => [unit, present, evidence.source]),
      [['cart', null, 'trace']],
    );
  });

  test('usage without what was known of its components is advised on, component by component', async () => {
    const { stdout } = await run('--trace', 'bare.jsonl', '--dry');
    // What they ran as is told by what was counted.
    assert.match(stdout, /^cart +service .* 300 .* 12h /m);
    assert.match(stdout, /^mail +service .* 300 .* 12h /m);
  });

  test('--dry tells what it would look at, and asks nothing more', async () => {
    const { stdout } = await run('--trace', 'shop.jsonl', '--dry', '--slo-p99', '200ms', '--book', 'aws-ec2');
    assert.match(stdout, /^core +service +600 +12h +256 MB +200ms .*not read$/m);
    assert.match(stdout, /^Books: aws-ec2\. 200 samples, seed 1\./m);
    const json = JSON.parse((await run('--trace', 'shop.jsonl', '--dry', '--json')).stdout) as {
      requests: { facts: { unit: string }; arrivals: number; books: string[] }[];
    };
    assert.deepEqual(
      json.requests.map(({ facts, arrivals }) => [facts.unit, arrivals]),
      [
        ['core', 600],
        ['idle', 0],
      ],
    );
  });

  test('--new asks for flags where nobody can be asked, and takes them', async () => {
    const missing = await run('--new', '--rate', '1/d');
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /Give also: --trigger http/);
    const flags = ['--trigger', 'schedule', '--rate', '1/d', '--duration', '4m', '--memory', '1GB'];
    const { code, stdout } = await run('nightly', '--new', ...flags, '--needs', 'none');
    assert.equal(code, 0);
    assert.match(stdout, /^Build nightly as a function/);
  });

  test('what cannot be is told in one error', async () => {
    const errors = [
      [['core', '--trace', 'cut.jsonl'], 1, /cut short/],
      [
        ['croe', '--trace', 'shop.jsonl'],
        1,
        /There is no component 'croe' with instances\. Did you mean 'core'\?/,
      ],
      [['mail', '--trace', 'shop.jsonl'], 1, /it is in the group 'core' \(cart, mail\).*fulcrum advise core/],
      [['--trace', 'shop.jsonl', '--chart', 'x.svg'], 2, /--chart is of one component: name it/],
      [['--trace', 'shop.jsonl', '--book', 'aws-lamda-x86'], 2, /Did you mean aws-lambda-x86\?/],
      [['--trace', 'shop.jsonl', '--rate', '1/s'], 2, /--rate describes a new component: give it with --new/],
      [['--new', '--trace', 'shop.jsonl'], 2, /either --new or --trace/],
      [['--trace', 'none.jsonl'], 1, /none\.jsonl/],
      [['--trace', 'shop.jsonl', '--since', '3d'], 2, /--since is of what a server counted/],
      [['--new', '--app', 'shop'], 2, /--app is of what a server counted: give either that or --new/],
      [['core', '--memory', '1GB'], 2, /--memory says what a trace does not tell/],
      [['--slo-p99', 'soon'], 2, /It is a duration/],
      [['--trace', 'shop.jsonl', '--without', 'gatway'], 2, /Did you mean 'gateway'\?/],
      [['core', '--trace', 'shop.jsonl', '--chart', 'no/x.svg'], 2, /no\/x\.svg cannot be written/],
      [[], 3, /No Fulcrum server is running/],
    ] as const;
    for (const [args, code, text] of errors) {
      const ran = await run(...args);
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
      assert.match(ran.stderr.replaceAll(/\s+/g, ' '), text);
    }
  });
});
