import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { NO_LIMITS, type Limits } from '../../model/app.ts';
import type { ComponentStatus, SandboxStatus } from '../../model/status.ts';
import { component, FakePort, logEntry } from '../../control/fixtures/fake-port.ts';
import type { ManualResult } from '../../control/port.ts';
import { World, type Ran } from '../fixtures/run-cli.ts';

const ESCAPE = '\u001B';

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function assertFits(ran: Ran, width = 80): void {
  for (const line of linesOf(ran.stdout)) assert.ok(Array.from(line).length <= width, `too wide: ${line}`);
}

describe('commands against a running server', () => {
  let world: World;
  let port: FakePort;

  before(async () => {
    world = await World.make();
    ({ port } = await world.serve('shop'));
  });
  after(() => world.end());
  beforeEach(() => {
    const fresh = new FakePort();
    port.list = fresh.list;
    port.answer = fresh.answer;
    port.failedDeploy = null;
    port.asked.length = 0;
  });

  test('ps fits 80 columns and shows what matters', async () => {
    port.failedDeploy = { atMs: 1, message: 'catalog.ts:3:1\nUnexpected token' };
    const ran = await world.run(['ps']);
    assert.equal(ran.code, 0, ran.stderr);
    assertFits(ran);
    const lines = linesOf(ran.stdout);
    assert.match(lines[0]!, /^shop · development · http:\/\/127\.0\.0\.1:8080 · up 3m$/);
    assert.match(lines[2]!, /^COMPONENT +MODE +ENGINE +READY +CALLS\/MIN +FAILED +COLD +P50 +P99/);
    assert.match(lines[3]!, /^catalog +function +spawn +1 +1,204 +3 +17 +2\.1ms +148ms/);
    assert.match(lines[4]!, /^storefront +service +spawn +0 +0 +0 +0 +- +-/);
    assert.match(lines[5]!, /^a-component-wi… +function\* +spawn +0 /);
    assert.match(lines[6]!, /^assets +static +- +- +- /);
    assert.match(ran.stdout, /^The last change did not go live: catalog\.ts:3:1 Unexpected token$/m);
    assert.match(ran.stdout, /: 1,000 waiting for an instance$/m);
    assert.match(ran.stdout, /^a-component-.*: TypeError: Cannot read.*…$/m);
    assert.match(ran.stdout, /^\* mode auto/m);
    assert.ok(!ran.stdout.includes(ESCAPE), 'no colours into a pipe');
  });

  test('ps says why a component is not forked, and what its sandbox lacks', async () => {
    const reason = 'its module holds a timer (/srv/shop/catalog.ts:3:5) once it is loaded';
    const lacking: SandboxStatus = {
      complete: false,
      uid: null,
      layers: [
        { name: 'user', state: 'missing', reason: 'only root can give it one' },
        { name: 'files', state: 'on', reason: null },
        { name: 'network', state: 'unasked', reason: 'not asked for' },
        { name: 'memory', state: 'missing', reason: 'not writable' },
      ],
    };
    port.list = [
      component({ name: 'catalog', engineReason: reason }),
      component({ name: 'cart', engine: 'fork', sandbox: lacking }),
      component({ name: 'report', engineReason: reason, sandbox: lacking }),
      component({ name: 'mail', engine: 'fork', sandbox: { ...lacking, complete: true } }),
    ];
    const ran = await world.run(['ps']);
    assertFits(ran);
    const text = linesOf(ran.stdout).join(' ');
    assert.match(ran.stdout, /^cart +function +fork! /m);
    assert.match(ran.stdout, /^mail +function +fork /m);
    assert.ok(text.includes(`catalog, report: spawn, not fork: ${reason}`), ran.stdout);
    assert.ok(
      text.includes('! cart, report: the sandbox lacks user, memory (fulcrum doctor says why)'),
      ran.stdout,
    );
    const { components } = JSON.parse((await world.run(['ps', '--json'])).stdout) as {
      components: ComponentStatus[];
    };
    assert.deepEqual(components[1]!.sandbox, lacking);
  });

  test('ps uses a wider terminal for the routes, and colours where they are asked for', async () => {
    const wide = await world.run(['ps'], { env: { COLUMNS: '130', FORCE_COLOR: '1' } });
    assert.match(wide.stdout, /ROUTES/);
    assert.match(wide.stdout, /\/api\/catalog\/\*/);
    assert.ok(wide.stdout.includes(`${ESCAPE}[`));
  });

  test('ps --json is one document and nothing else', async () => {
    const ran = await world.run(['ps', '--json']);
    const document = JSON.parse(ran.stdout) as { app: { name: string }; components: unknown[] };
    assert.equal(document.app.name, 'shop');
    assert.equal(document.components.length, port.list.length);
    assert.equal(ran.stderr, '');
  });

  test('ps COMPONENT shows its instances and why the latest came and went, in 80 columns and in more', async () => {
    const atMs = Date.UTC(2026, 0, 2, 12, 30, 0);
    const [first] = port.list;
    const long = 'missed 3 health checks: no answer to a ping within 5000 ms, and again, and again';
    port.list[0] = {
      ...first!,
      instances: [
        first!.instances[0]!,
        {
          ...first!.instances[0]!,
          id: 'i_old',
          pid: 0,
          state: 'draining',
          endReason: `mode${ESCAPE}[2J switch`,
        },
      ],
      queued: 2,
      decisions: [
        { atMs, instance: 'i_ill', kind: 'end', reason: long },
        { atMs: atMs + 1_000, instance: 'i_abcdefgh', kind: 'start', reason: 'queue 1' },
      ],
    };
    const ran = await world.run(['ps', 'catalog']);
    assert.equal(ran.code, 0, ran.stderr);
    assertFits(ran);
    const lines = linesOf(ran.stdout);
    assert.equal(lines[0], 'catalog · function · spawn · revision 0123456789ab · 2 waiting');
    assert.match(lines[2]!, /^INSTANCE +PID +STATE +BUSY +SERVED +AGE +MEMORY +/);
    assert.doesNotMatch(lines[2]!, /REVISION/, 'which the first line says');
    assert.match(lines[3]!, /^i_abcdefgh +4711 +ready +1 +12 +1\.5s +61 MB +.*queue 1$/);
    assert.match(lines[4]!, /^i_old +- +draining .*ends: mode/);
    assert.match(lines[7]!, /^\d\d:\d\d:00\S* +i_ill +end +missed 3 health checks: .*…$/);
    assert.match(lines[8]!, /^\d\d:\d\d:01\S* +i_abcdefgh +start +queue 1$/);
    assert.ok(!ran.stdout.includes(ESCAPE), 'what others wrote is cleaned');
    const wide = await world.run(['ps', 'catalog'], { env: { COLUMNS: '200' } });
    assert.ok(wide.stdout.includes(long) && wide.stdout.includes('REVISION'), wide.stdout);
    const json = JSON.parse((await world.run(['ps', 'catalog', '--json'])).stdout) as {
      component: ComponentStatus;
    };
    assert.deepEqual(json.component, port.list[0]);
    const none = await world.run(['ps', 'storefront']);
    assert.match(none.stdout, /^no instances$/m);
    const wrong = await world.run(['ps', 'catalogue']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /There is no component 'catalogue'\. Did you mean 'catalog'\?/);
  });

  test('mode switches, and says how', async () => {
    const ran = await world.run(['mode', 'catalog', 'service']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stdout, 'catalog: function → service in 83ms\n');
    assert.deepEqual(port.asked, [{ setMode: 'catalog', mode: 'service' }]);
    assert.equal((await world.run(['mode', 'catalog', 'service'])).stdout, 'catalog is a service\n');
    const json = await world.run(['mode', 'catalog', 'auto', '--json']);
    assert.deepEqual(JSON.parse(json.stdout), {
      component: 'catalog',
      from: 'service',
      to: 'service',
      tookMs: 83.4,
    });
  });

  test('mode --history says what was decided and why, the newest last, of one or all', async () => {
    const step = { by: 'auto', from: 'function', to: 'service', figures: { savingLow: 2.5 } } as const;
    const atMs = Date.UTC(2026, 10, 28, 2);
    port.steps = [
      {
        ...step,
        id: 'm3',
        atMs,
        unit: 'cart',
        kind: 'failed',
        reason: `It did not start: ${'why '.repeat(30)}`,
      },
      {
        ...step,
        id: 'm2',
        atMs,
        unit: 'catalog',
        kind: 'undone',
        from: 'service',
        to: 'function',
        reason: 'It costs more.',
      },
      {
        ...step,
        id: 'm1',
        atMs,
        unit: 'catalog',
        kind: 'switched',
        by: 'ci (t_1)',
        reason: `By hand.${ESCAPE}[31m`,
      },
    ];
    const ran = await world.run(['mode', '--history']);
    assert.equal(ran.code, 0, ran.stderr);
    assertFits(ran);
    assert.ok(!ran.stdout.includes(ESCAPE));
    const lines = linesOf(ran.stdout);
    assert.match(lines[0]!, /^WHEN +COMPONENT +WHAT +BY$/);
    assert.match(lines[1]!, /catalog +function → service +ci \(t_1\)$/);
    assert.match(lines[3]!, /catalog +back to function +auto$/);
    assert.equal(lines[4], '  It costs more.');
    assert.match(lines[5]!, /cart +not made a service +auto$/);
    const one = await world.run(['mode', 'catalog', '--history', '--json', '--lines', '1']);
    assert.deepEqual(JSON.parse(one.stdout), [port.steps[1]]);
    assert.equal(
      (await world.run(['mode', 'storefront', '--history'])).stdout,
      'Nothing was decided yet of storefront.\n',
    );
    const both = await world.run(['mode', 'catalog', 'service', '--history']);
    assert.deepEqual([both.code, /leave 'service' out/.test(both.stderr)], [2, true]);
    const none = await world.run(['mode']);
    assert.deepEqual([none.code, /Which component/.test(none.stderr)], [2, true]);
    port.steps = [];
  });

  test('limits are shown, changed by what is named, and taken back', async () => {
    const limits = (...words: string[]): Promise<Ran> => world.run(['limits', 'catalog', ...words]);
    const set = (limits_: Partial<Limits> | null): unknown => ({
      setLimits: 'catalog',
      limits: limits_ === null ? null : { ...NO_LIMITS, ...limits_ },
    });
    const configured = { ...NO_LIMITS, rps: 10, burst: 30, concurrency: 8 };
    port.list = [component({ limits: { configured, chosen: null, refused: 1_204 } })];
    assert.equal(
      (await limits()).stdout,
      'catalog: 10 per second (30 at once), 8 at a time\n  1,204 refused in the last minute\n',
    );
    assert.deepEqual(port.asked, []);
    const changed = await limits('--per-client', '2.5', '--burst', '50');
    assert.equal(changed.code, 0, changed.stderr);
    assert.deepEqual(port.asked, [
      set({ rps: 10, burst: 50, perClient: { rps: 2.5, burst: 3 }, concurrency: 8 }),
    ]);
    assert.match(
      changed.stdout,
      /^ {2}set by hand; the config says: 10 per second \(30 at once\), 8 at a time$/m,
    );
    port.asked.length = 0;
    assert.match((await limits('--off')).stdout, /^catalog: switched off\n/);
    assert.match((await world.run(['ps'])).stdout, /^catalog: switched off by hand$/m);
    assert.match((await world.run(['ps'])).stdout, /^catalog: 1,204 refused by limits in the last minute$/m);
    await limits('--on');
    await limits('--rps', 'none', '--per-client', 'none', '--concurrency', 'none');
    await limits('--rps', '0.5');
    await limits('--reset');
    const off = { rps: 10, burst: 50, perClient: { rps: 2.5, burst: 3 } };
    assert.deepEqual(port.asked, [
      set({ ...off, concurrency: 0 }),
      set({ ...off, concurrency: 8 }),
      set({}),
      set({ rps: 0.5, burst: 1 }),
      set(null),
    ]);
    const { chosen } = JSON.parse((await limits('--json')).stdout) as { chosen: unknown };
    assert.equal(chosen, null);
  });

  test('limits fit the terminal, and ps of one component tells of them too', async () => {
    const all = {
      rps: 1_000,
      burst: 200_000,
      perClient: { rps: 1_000, burst: 200_000 },
      concurrency: 50_000,
    };
    const chosen = { ...all, concurrency: 0 };
    port.list = [component({ limits: { configured: all, chosen, refused: 1_204 } })];
    const shown = (await world.run(['limits', 'catalog'])).stdout.split('\n');
    for (const line of shown) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
    assert.match(
      shown.join(' '),
      /^catalog: switched off {3}set by hand; .* 50,000 at a time {3}1,204 refused/,
    );
    const ps = (await world.run(['ps', 'catalog'])).stdout;
    assert.match(ps, /^switched off by hand$/m);
    assert.match(ps, /^1,204 refused by limits in the last minute$/m);
  });

  test('limits that contradict each other change nothing', async () => {
    for (const [words, message] of [
      ['--off --on', /--off and --on contradict each other/],
      ['--on --concurrency 5', /--on and --concurrency contradict/],
      ['--reset --rps 5', /--reset takes all of them back, and stands alone/],
      ['--burst 5', /--burst needs a rate: give --rps beside it/],
      ['--rps none --burst 5', /--burst needs a rate/],
      ['--per-client-burst none', /a burst is a number/],
      ['--rps 0', /It is a number from 0\.01 to 1000000, or none/],
      ['--concurrency 1.5', /It is a number from 0 to 1000000, or none/],
    ] as const) {
      const ran = await world.run(['limits', 'catalog', ...words.split(' ')]);
      assert.equal(ran.code, 2, words);
      assert.match(ran.stderr, message);
    }
    assert.deepEqual(port.asked, []);
    const missing = await world.run(['limits', 'nothing', '--off']);
    assert.match(missing.stderr, /not-found/);
  });

  test('mode shows what would break, and goes on with --force', async () => {
    const finding = {
      rule: 'shared-variable',
      member: null,
      severity: 'warning',
      file: 'src/greeter.ts',
      line: 5,
      column: 3,
      lineText: `user = ${ESCAPE}[2Jname;`,
      message: "'user' is written by a request.",
      advice: 'Pass it on.',
    } as const;
    const note = {
      ...finding,
      rule: 'shared-counter',
      member: null,
      severity: 'note',
      line: 9,
      lineText: 'hits += 1;',
    } as const;
    port.findings = [finding, note];
    const refused = await world.run(['mode', 'storefront', 'function']);
    assert.equal(refused.code, 1);
    assert.equal(refused.stdout, '');
    assert.match(refused.stderr, /^error switch-unsafe: As a function, 'storefront' would break\./);
    assert.match(
      refused.stderr,
      /^warning src\/greeter\.ts:5:3 shared-variable\n {2}'user' is written by a request\.\n {2}5 \| user = name;\n {2}Pass it on\.$/m,
    );
    assert.match(refused.stderr, /^note src\/greeter\.ts:9:3 shared-counter$/m);
    const asData = await world.run(['mode', 'storefront', 'function', '--json']);
    assert.equal(asData.code, 1);
    assert.deepEqual((JSON.parse(asData.stdout) as { findings: unknown[] }).findings.length, 2);

    const checked = await world.run(['mode', 'storefront', 'function', '--check']);
    assert.equal(checked.code, 1);
    assert.match(
      checked.stdout,
      /^storefront: service → function: 1 warning, 1 note\nwarning src\/greeter\.ts:5:3/,
    );
    const document = JSON.parse(
      (await world.run(['mode', 'storefront', 'function', '--check', '--json'])).stdout,
    ) as object;
    assert.deepEqual(document, {
      component: 'storefront',
      from: 'service',
      to: 'function',
      findings: [finding, note],
    });
    port.findings = [note];
    assert.equal((await world.run(['mode', 'storefront', 'function', '--check'])).code, 0);
    port.findings = [];
    assert.match((await world.run(['mode', 'storefront', 'function', '--check'])).stdout, /nothing found/);
    assert.equal(
      (await world.run(['mode', 'storefront', 'service', '--check'])).stdout,
      'storefront is a service\n',
    );

    port.findings = [finding];
    const forced = await world.run(['mode', 'storefront', 'function', '--force']);
    assert.equal(forced.code, 0, forced.stderr);
    assert.deepEqual(port.asked.at(-1), { setMode: 'storefront', mode: 'function', force: true });
  });

  const REFUSED: [string[], number, RegExp][] = [
    [
      ['mode', 'catlog', 'service'],
      1,
      /^error not-found: There is no component 'catlog'\. Did you mean 'catalog'\?$/m,
    ],
    [['mode', 'zzzzzzz', 'service'], 1, /There are: catalog, storefront/],
    [['mode', 'catalog', 'servce'], 2, /^error usage: 'servce' is no mode\. Did you mean 'service'\?/m],
    [['mode', 'assets', 'service'], 1, /^error bad-request: assets is static/m],
    [['invoke', 'storefrnt', 'f'], 1, /Did you mean 'storefront'\?/],
    [['invoke', 'catalog'], 2, /only one of it: a FUNCTION, --scheduled, or --event TYPE/],
    [['invoke', 'catalog', 'f', '--scheduled'], 2, /only one of it/],
    [['invoke', 'catalog', 'f', '--args', '{}'], 2, /--args is a JSON list/],
    [
      ['invoke', 'catalog', 'f', '--args', '[A-1]'],
      2,
      /--args is not valid JSON .*Strings need their quotes/,
    ],
    [['invoke', 'catalog', 'f', '--data', '@none.json'], 2, /--data @none\.json cannot be read: ENOENT/],
    [['invoke', 'catalog', '--event', 'e', '--args', '[]'], 2, /Give one of the two/],
    [['logs', 'catlog'], 1, /Did you mean 'catalog'\?/],
    [['logs', '--level', 'wran'], 2, /'wran' is no level\. Did you mean 'warn'\?/],
    [['logs', '--since', '5'], 2, /--since takes a duration such as 30s/],
  ];
  for (const [args, code, message] of REFUSED) {
    test(`fulcrum ${args.join(' ')} is refused with ${code}`, async () => {
      const ran = await world.run(args);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, message);
      assert.equal(ran.stdout, '');
      if (code === 2) assert.deepEqual(port.asked, []);
    });
  }

  test('invoke hands over what was asked for', async () => {
    await writeFile(join(world.folder, 'order.json'), '{"id":7}');
    const table: [string[], string | undefined, unknown][] = [
      [['f'], undefined, { kind: 'call', function: 'f', args: [] }],
      [['f', '--args', '["A-1",2]'], undefined, { kind: 'call', function: 'f', args: ['A-1', 2] }],
      [['f', '--data', '[1]'], undefined, { kind: 'call', function: 'f', args: [[1]] }],
      [['f', '--data', '@-'], '"piped"', { kind: 'call', function: 'f', args: ['piped'] }],
      [['--scheduled'], undefined, { kind: 'scheduled' }],
      [
        ['--event', 'paid', '--data', '@order.json'],
        undefined,
        { kind: 'queue', messages: [{ type: 'paid', data: { id: 7 } }] },
      ],
      [['--event', 'paid'], undefined, { kind: 'queue', messages: [{ type: 'paid', data: null }] }],
    ];
    for (const [args, input, request] of table) {
      const ran = await world.run(['invoke', 'catalog', ...args], input === undefined ? {} : { input });
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(port.asked.at(-1), { invoke: 'catalog', request });
    }
  });

  test('invoke prints the value alone on stdout, and how it went on stderr', async () => {
    const ran = await world.run(['invoke', 'catalog', 'f']);
    assert.equal(ran.stdout, '42\n');
    assert.equal(ran.stderr, 'ok in 12ms · cold · billed 57 ms · r_manual\n');
    const json = await world.run(['invoke', 'catalog', 'f', '--json']);
    assert.equal((JSON.parse(json.stdout) as ManualResult).value, 42);
    assert.equal(json.stderr, '');
  });

  test('an invocation that does not end well exits with 4', async () => {
    const base = { requestId: 'r_1', durationMs: 5, cold: false, billedMs: 5 };
    const cause = { name: 'Error', message: 'inner', stack: null, code: null, cause: null };
    const thrown = {
      name: 'TypeError',
      message: 'no sku',
      stack: `TypeError: no sku\n    at f (a.ts:1:2)${ESCAPE}]0;own\u0007`,
      code: null,
      cause,
    };
    port.answer = () => ({
      ...base,
      outcome: 'handler-error',
      thrown,
      error: { code: 'handler-error', message: 'threw' },
    });
    const failed = await world.run(['invoke', 'catalog', 'f']);
    assert.equal(failed.code, 4);
    assert.equal(failed.stdout, '');
    assert.match(
      failed.stderr,
      /TypeError: no sku\n {4}at f \(a\.ts:1:2\)\nCaused by: Error: inner\nhandler-error in 5ms/,
    );

    port.answer = () => ({
      ...base,
      outcome: 'timeout',
      error: { code: 'timeout', message: 'It took longer than 30s.' },
    });
    const late = await world.run(['invoke', 'catalog', 'f', '--json']);
    assert.equal(late.code, 4);
    assert.equal((JSON.parse(late.stdout) as ManualResult).outcome, 'timeout');

    port.answer = () => Promise.reject(new FulcrumError('shutting-down', 'The server is about to end.'));
    const refused = await world.run(['invoke', 'catalog', 'f']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^error shutting-down: The server is about to end\.$/m);
  });

  test('Ctrl-C gives an invocation up, and exits with 130', async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    port.answer = (_request, signal) => {
      begun.resolve(signal);
      return new Promise(() => undefined);
    };
    const running = world.start(['invoke', 'catalog', 'slow']);
    const signal = await begun.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    running.child.kill('SIGINT');
    assert.equal((await running.ended()).code, 130);
    await aborted;
  });

  test('logs shows lines and requests in short, and nothing that could take over the terminal', async () => {
    const access = {
      method: 'GET',
      path: '/api/catalog/A-1',
      status: 200,
      durationMs: 3.14,
      waitedMs: 45,
      cold: true,
    };
    port.logs.write(logEntry({ text: 'GET', stream: 'platform', fields: access }));
    port.logs.write(logEntry({ text: 'two\nlines', component: 'storefront' }));
    port.logs.write(
      logEntry({
        text: `bad${ESCAPE}[2J${ESCAPE}]52;c;eA==\u0007 ${ESCAPE}[31mred\u0008\r`,
        level: 'error',
        requestId: 'r_2',
      }),
    );
    const ran = await world.run(['logs']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(linesOf(ran.stdout), [
      '12:30:00.123 catalog          │ GET /api/catalog/A-1 200 3.1ms cold +45ms',
      '12:30:00.123 storefront       │ two',
      '12:30:00.123 storefront       │ lines',
      `12:30:00.123 catalog          │ bad ${ESCAPE}[31mred${ESCAPE}[0m`,
    ]);
    assert.equal(linesOf((await world.run(['logs', 'catalog', '-n', '1'])).stdout).length, 1);
    const json = await world.run(['logs', '--request', 'r_2', '--level', 'error', '--json']);
    assert.equal((JSON.parse(json.stdout) as unknown[]).length, 1);
    assert.equal((await world.run(['logs', '--since', '1h'])).stdout, '');
  });

  test('logs -f goes on until Ctrl-C', async () => {
    const running = world.start(['logs', '-f', 'catalog', '-n', '1']);
    await running.says(/red/);
    port.logs.write(logEntry({ text: 'fresh' }));
    await running.says(/│ fresh/);
    running.child.kill('SIGINT');
    const ran = await running.ended();
    assert.equal(ran.code, 130);
    assert.equal(linesOf(ran.stdout).length, 2);
  });

  test('logs -f --json is one entry a line, and ends with the server', async () => {
    const other = await world.serve('other');
    other.port.logs.write(logEntry({ text: 'one' }));
    const running = world.start(['logs', '-f', '--json', '--app', 'other']);
    await running.says(/one/);
    other.port.logs.write(logEntry({ text: 'two' }));
    await running.says(/two/);
    await other.end();
    const ran = await running.ended();
    assert.equal(ran.code, 0);
    assert.match(ran.stderr, /The server has ended/);
    assert.deepEqual(
      linesOf(ran.stdout).map((line) => (JSON.parse(line) as { text: string }).text),
      ['one', 'two'],
    );
  });

  test('a reader that has had enough ends it, and that is no failure', async () => {
    const running = world.start(['logs', '-f', '-n', '1']);
    await running.says(/│/);
    running.child.stdout!.destroy();
    const more = setInterval(() => port.logs.write(logEntry({ text: 'more' })), 20);
    const ran = await running.ended();
    clearInterval(more);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stderr, '');
  });
});

test('which server is meant: none, one elsewhere, several, the one of this folder, the one named', async () => {
  const world = await World.make();
  const none = await world.run(['ps']);
  assert.equal(none.code, 3);
  assert.match(
    none.stderr,
    /^error server-unreachable: No Fulcrum server is running\. Start one with `fulcrum dev`/,
  );

  await world.serve('shop');
  assert.equal((await world.run(['ps'], { cwd: '/' })).code, 0);
  await world.serve('blog');
  const several = await world.run(['ps'], { cwd: '/' });
  assert.equal(several.code, 2);
  assert.match(several.stderr, /say which one with `--app`:\n {2}blog .*\n {2}shop /);
  const nameOf = async (args: string[], cwd: string): Promise<string> => {
    const { stdout } = await world.run(['ps', '--json', ...args], { cwd });
    return (JSON.parse(stdout) as { app: { directory: string } }).app.directory;
  };
  const blog = join(world.folder, 'blog');
  assert.equal(await nameOf([], blog), blog);
  assert.equal(await nameOf(['--app', '../blog'], join(world.folder, 'shop')), blog);
  assert.equal(await nameOf(['--app', 'blog'], '/'), blog);
  await symlink(blog, join(world.folder, 'link'));
  assert.equal(await nameOf(['--app', 'link'], world.folder), blog);
  const wrong = await world.run(['ps', '--app', 'nothing']);
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /No server runs the app nothing\./);
  await world.end();
});
