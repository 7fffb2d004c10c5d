import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { delivery, EVENT_ID, FakeEvents } from '../../control/fixtures/fake-events.ts';
import { appRecord, FakeHost } from '../../control/fixtures/fake-host.ts';
import { component, type FakePort } from '../../control/fixtures/fake-port.ts';
import type { KeptAnswer } from '../../model/event-store.ts';
import { World, type Ran } from '../fixtures/run-cli.ts';

const ESCAPE = '\u001B';
const MINUTE_MS = 60_000;

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function assertFits({ stdout }: Ran, width = 80): void {
  for (const line of linesOf(stdout)) assert.ok(Array.from(line).length <= width, `too wide: ${line}`);
}

describe('fulcrum events and invocations', () => {
  let world: World;
  let port: FakePort;
  let events: FakeEvents;

  before(async () => {
    world = await World.make();
    ({ port } = await world.serve('shop'));
  });
  after(() => world.end());
  beforeEach(() => {
    events = new FakeEvents();
    Object.assign(port, { events });
    port.asked.length = 0;
    port.list = [
      component({ name: 'receipts', events: ['order.*'] }),
      component({ name: 'stock', events: ['order.paid'] }),
      component({ name: 'report' }),
    ];
    events.takers.set('receipts', ['order.*']).set('stock', ['order.paid']);
  });

  const run = (...args: string[]): Promise<Ran> => world.run(args);

  test('ls fits 80 columns, the newest first, with what each failed with', async () => {
    const now = Date.now();
    events.rows = [
      delivery({ publishedAtMs: now - 62 * MINUTE_MS }),
      delivery({
        ...{
          id: 'e_2',
          component: 'a-component-with-a-long-name',
          type: 'com.example.billing.invoice.settled',
        },
        ...{ state: 'delayed', attempt: 0, attempts: [] },
        ...{ publishedAtMs: now - 5 * MINUTE_MS, dueAtMs: now + 115 * MINUTE_MS },
      }),
      delivery({
        ...{ id: '1d4fd2a0-4c3b-4b9e-9a8e-0f1e2d3c4b5a', kind: 'schedule', type: `nightly${ESCAPE}[2J` },
        ...{ component: 'report', state: 'leased', attempt: 1, attempts: [], publishedAtMs: now },
      }),
      delivery({
        id: 'e_3',
        component: '',
        state: 'unmatched',
        attempt: 0,
        attempts: [],
        publishedAtMs: now - 26 * 60 * MINUTE_MS,
      }),
    ];
    const ran = await run('events', 'ls');
    assert.equal(ran.code, 0, ran.stderr);
    assertFits(ran);
    assert.ok(!ran.stdout.includes(ESCAPE));
    const lines = linesOf(ran.stdout);
    assert.match(lines[0]!, /^STATE +ID +TYPE +COMPON… +WHEN +TRY$/);
    assert.match(
      lines[1]!,
      /^leased +1d4fd2a0-4c3b-4b9e-9a8e-0f1e2d3c4b5a +tick n\S*… +report +(now|\d+s ago) +1$/,
    );
    assert.match(lines[2]!, /^delayed +e_2 +com\.ex\S*… +a-comp… +in 115m +-$/);
    assert.match(lines[3]!, /^dead +e_0{19}1 +order\.p\S* +receip\S* +62m ago +5$/);
    assert.equal(lines[4], '  TypeError: Cannot read properties of undefined (reading "sku")');
    assert.match(lines[5]!, /^unmatched +e_3 +\S+ +- +26h ago +-$/);
    const wide = await world.run(['events', 'ls'], { env: { COLUMNS: '140', FORCE_COLOR: '1' } });
    assert.ok(
      wide.stdout.includes('com.example.billing.invoice.settled') && wide.stdout.includes(`${ESCAPE}[31m`),
    );
  });

  test('ls takes filters and pages', async () => {
    events.rows = Array.from({ length: 3 }, (_, i) =>
      delivery({ id: `e_${i}`, state: i === 0 ? 'ready' : 'dead' }),
    );
    const filters = ['--component', 'receipts', '--type', 'order.paid', '--key', 'o-1', '--state', 'dead'];
    const first = await run('events', 'ls', ...filters, '-n', '1');
    assert.match(first.stdout, /^dead +e_2 /m);
    const [, cursor] = /with --before\s(\S+)/.exec(first.stderr)!;
    const second = await run('events', 'ls', ...filters, '--before', cursor!, '--json');
    const page = JSON.parse(second.stdout) as { events: { id: string }[]; next: unknown };
    assert.deepEqual([page.events.map(({ id }) => id), page.next, second.stderr], [['e_1'], null, '']);
    assert.equal(
      (await run('events', 'ls', '--key', 'o-2')).stdout,
      'Nothing of shop@development matches.\n',
    );
    events.rows = [];
    assert.match((await run('events', 'ls')).stdout, /^shop@development has nothing left to do/);
    const wrong = await run('events', 'ls', '--state', 'deed');
    assert.deepEqual(
      [wrong.code, /delayed, ready, blocked, leased, dead, unmatched/.test(wrong.stderr)],
      [2, true],
    );
    const pattern = await run('events', 'ls', '--type', 'order.*');
    assert.match(pattern.stderr, /type: one type as it was published, such as 'order\.paid'/);
  });

  test('show tells for each component what became of it, and each attempt', async () => {
    const now = Date.now();
    const [last] = delivery().attempts;
    const long = `Error: ${'the printer is out of paper '.repeat(5).trim()}${ESCAPE}]0;x`;
    const row = { publishedAtMs: now - 62 * MINUTE_MS, timeMs: now - 62 * MINUTE_MS };
    events.rows = [
      delivery({
        ...row,
        ...{ attempt: 57, dueAtMs: now + 14 * 86_400_000, subject: 'orders/1' },
        attempts: [
          { ...last!, number: 56, tookMs: 30_000, error: { code: 'timeout', message: long } },
          last!,
        ],
      }),
      delivery({ ...row, component: 'stock', state: 'blocked', attempt: 0, attempts: [] }),
      delivery({ ...row, component: 'mails', state: 'ready', attempt: 1, dueAtMs: now + 5 * MINUTE_MS }),
      delivery({
        ...row,
        component: 'bills',
        state: 'delayed',
        attempt: 0,
        attempts: [],
        dueAtMs: now + 3_600_000,
      }),
      delivery({ ...row, component: 'books', state: 'leased', attempt: 1, attempts: [] }),
      delivery({ ...row, component: 'taxes', state: 'ready', attempt: 0, attempts: [], dueAtMs: 0 }),
    ];
    const ran = await run('events', 'show', EVENT_ID);
    assert.equal(ran.code, 0, ran.stderr);
    assertFits(ran);
    assert.ok(!ran.stdout.includes(ESCAPE) && !ran.stdout.includes('1990'));
    const lines = linesOf(ran.stdout);
    assert.equal(lines[0], `${EVENT_ID} · order.paid · 28 B of application/json`);
    assert.match(
      lines[1]!,
      /^published \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(62m ago\) by \/components\/checkout$/,
    );
    assert.deepEqual(lines.slice(2, 7), [
      'key o-1',
      'subject orders/1',
      '',
      'receipts · dead after 57 attempts; forgotten in 14d',
      '  the latest 2 that did not go well:',
    ]);
    assert.equal(lines[7], '  #56  2026-01-02 12:30:00  30s  timeout');
    assert.match(lines[8]!, /^ {6}Error: the printer is out of paper the printer/);
    assert.match(ran.stdout, /^stock · waits for another of its key$/m);
    assert.match(ran.stdout, /^mails · to be tried again in 5m, after 1 attempt$/m);
    assert.match(ran.stdout, /^bills · held back; due in 60m$/m);
    assert.match(ran.stdout, /^books · being worked on, attempt 1$/m);
    assert.match(ran.stdout, /^taxes · ready since 62m ago, not tried yet$/m);
    assert.match(ran.stderr, new RegExp(`fulcrum events retry ${EVENT_ID}`));
    const json = JSON.parse((await run('events', 'show', EVENT_ID, '--json')).stdout) as {
      deliveries: unknown[];
    };
    assert.equal(json.deliveries.length, 6);
    const gone = await run('events', 'show', 'e_gone');
    assert.deepEqual([gone.code, /no event 'e_gone' here: it is done with/.test(gone.stderr)], [1, true]);
  });

  test('show --payload shows data as it is, and --out writes it', async () => {
    const data = Buffer.from('{"n":12345678901234567890,"a":"ü"}');
    events.rows = [
      delivery({ data, attributes: '{"region":"eu"}' }),
      delivery({ id: 'e_bytes', data: Buffer.from([0xff, 0x00]), contentType: 'image/png' }),
    ];
    const ran = await run('events', 'show', EVENT_ID, '--payload');
    const pretty = '{\n  "n": 12345678901234567890,\n  "a": "ü"\n}\n';
    assert.ok(ran.stdout.endsWith(`\n\nregion: eu\n\n${pretty}`), ran.stdout);
    const bytes = await run('events', 'show', 'e_bytes', '--payload');
    assert.match(bytes.stdout, /^\(2 B of image\/png, which is no text; --out FILE writes it\)$/m);
    const out = join(world.folder, 'photo.png');
    const written = await run('events', 'show', 'e_bytes', '--out', out);
    assert.deepEqual([written.code, written.stdout, written.stderr], [0, '', `Wrote 2 bytes to ${out}.\n`]);
    assert.deepEqual(await readFile(out), Buffer.from([0xff, 0x00]));
    assert.equal((await stat(out)).mode & 0o777, 0o600);
    const again = await run('events', 'show', 'e_bytes', '--out', out);
    assert.deepEqual(
      [again.code, /--out .*photo\.png cannot be written: EEXIST/.test(again.stderr)],
      [2, true],
    );
    assert.equal((await run('events', 'show', EVENT_ID, '--out', '-')).stdout, data.toString());
    const json = await run('events', 'show', EVENT_ID, '--payload', '--json');
    const { deliveries, payload } = JSON.parse(json.stdout) as {
      deliveries: unknown[];
      payload: { data: { text: string } };
    };
    assert.equal(deliveries.length, 1);
    assert.equal(payload.data.text, data.toString());
  });

  test('publish prints the id alone, and who gets the event', async () => {
    await writeFile(join(world.folder, 'order.json'), '{"order":"o-1"}');
    await writeFile(join(world.folder, 'photo'), Buffer.from([0xff]));
    const more = ['--key', 'o-1', '--delay', '2h', '--dedupe', 'd', '--subject', 's'];
    const ran = await run('events', 'publish', 'order.paid', '--data', '@order.json', ...more);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^e_\d{20}\n$/);
    assert.equal(ran.stderr, 'Kept, and due in 2h, for receipts, stock.\n');
    const [order] = events.orders;
    assert.deepEqual(
      [Buffer.from(order!.data).toString(), order!.key, order!.delayMs, order!.dedupe, order!.subject],
      ['{"order":"o-1"}', 'o-1', 7_200_000, 'd', 's'],
    );
    const twice = await run('events', 'publish', 'order.paid', '--dedupe', 'd');
    assert.deepEqual([twice.stdout, /A duplicate/.test(twice.stderr)], [ran.stdout, true]);
    const nobody = await run('events', 'publish', 'invoice.sent');
    assert.match(nobody.stderr, /No component takes invoice\.sent: it is kept for 14 days/);
    await run('events', 'publish', 'a', '--data', '@photo', '--content-type', 'image/png');
    assert.deepEqual(
      [events.orders[3]!.data, events.orders[3]!.contentType],
      [Buffer.from([0xff]), 'image/png'],
    );
    const piped = await world.run(['events', 'publish', 'a', '--data', '@-', '--json'], { input: '[1]' });
    assert.deepEqual(Object.keys(JSON.parse(piped.stdout) as object), ['id', 'duplicate']);
    assert.equal(Buffer.from(events.orders[4]!.data).toString(), '[1]');
  });

  test('retry has the dead delivered again, and says how many', async () => {
    events.rows = [
      delivery(),
      delivery({ id: 'e_2', state: 'ready' }),
      delivery({ id: 'e_3', state: 'leased' }),
    ];
    const dry = await run('events', 'retry', '--component', 'receipts', '--dry-run');
    assert.equal(dry.stdout, 'Would retry 1 event of shop@development (component receipts).\n');
    assert.deepEqual(events.asked, []);
    const ran = await run('events', 'retry', '--component', 'receipts');
    assert.equal(
      ran.stdout.replaceAll('\n', ' '),
      'Retrying 1 event of shop@development (component receipts), with attempts counted anew. ',
    );
    await run('events', 'retry', 'e_2', 'e_3');
    assert.deepEqual(events.asked, [
      { retry: { component: 'receipts', state: 'dead' } },
      { retry: { ids: ['e_2', 'e_3'] } },
    ]);
    const none = await run('events', 'retry', '--all', '--json');
    assert.deepEqual([none.code, JSON.parse(none.stdout)], [0, { count: 0, dryRun: false }]);
    assert.equal((await run('events', 'retry', 'e_nope')).code, 1, 'which was named, and is not there');
  });

  test('drop and redrive refuse where nobody can be asked, say how many, and mean it with --yes', async () => {
    const two = [delivery(), delivery({ id: 'e_2', component: '', state: 'unmatched' })];
    events.rows = two;
    const drop = await run('events', 'drop', '--state', 'dead');
    assert.deepEqual(
      [drop.code, drop.stderr],
      [
        2,
        'error usage: This forgets 1 event of shop@development (state dead), for good. Say --yes to mean it.\n',
      ],
    );
    const redrive = await run('events', 'redrive', '--all', '--to', 'stock');
    assert.match(redrive.stderr, /This gives 2 events of shop@development to stock\. Say --yes to mean it\./);
    const dry = await run('events', 'redrive', '--all', '--to', 'stock', '--dry-run', '--yes');
    assert.equal(dry.stdout, 'Would give 2 events of shop@development to stock.\n');
    assert.deepEqual([events.asked, events.rows], [[], two]);
    const given = await run('events', 'redrive', '--state', 'unmatched', '--to', 'stock', '--yes');
    assert.equal(given.stdout, 'Gave 1 event of shop@development (state unmatched) to stock.\n');
    const forgotten = await run('events', 'drop', EVENT_ID, '--yes');
    assert.equal(forgotten.stdout, 'Forgot 1 event of shop@development.\n');
    assert.deepEqual(
      events.rows.map(({ id, component: of, state }) => [id, of, state]),
      [['e_2', 'stock', 'ready']],
    );
    const nothing = await run('events', 'drop', '--state', 'dead');
    assert.deepEqual([nothing.code, nothing.stdout], [0, 'Nothing is there that it could be done to.\n']);
  });

  const WRONG: [string[], number, RegExp][] = [
    [['drop'], 2, /Say which: their ids, --component, --type, --state or --key; or --all/],
    [['retry', 'e_1', '--all'], 2, /--all is instead of ids and filters/],
    [['redrive', '--all'], 2, /required option '--to <COMPONENT>'/i],
    [['publish', 'a', '--delay', 'soon'], 2, /--delay takes a duration such as 30s or 2h; 'soon' is none/],
    [['publish', 'a', '--data', '{'], 2, /--data is not valid JSON/],
    [['publish', 'a', '--content-type', 'image/png'], 2, /--content-type is of what --data names/],
  ];
  for (const [args, code, says] of WRONG) {
    test(`events ${args.join(' ')} is refused`, async () => {
      const ran = await run('events', ...args);
      assert.deepEqual([ran.code, ran.stdout], [code, ''], ran.stderr);
      assert.match(ran.stderr, says);
      assert.deepEqual(events.asked, []);
    });
  }

  const answered = (kept: KeptAnswer, state: 'done' | 'failed'): KeptAnswer => ({
    ...kept,
    ...{ state, endedAtMs: kept.createdAtMs + 2_500, forgetAtMs: Date.now() + 86_400_000 },
    answer: {
      ...{ outcome: state === 'done' ? 'ok' : 'handler-error', status: 0, fields: null },
      ...{ contentType: 'application/json', data: Buffer.from(state === 'done' ? '{"pages":3}' : '') },
      error: state === 'done' ? null : { code: 'handler-error', message: 'no paper' },
    },
  });

  test('invoke --async prints the id of what is kept, and invocations show what became of it', async () => {
    const ran = await run('invoke', 'report', 'build', '--data', '{"day":1}', '--async');
    assert.equal(ran.code, 0, ran.stderr);
    const id = ran.stdout.trim();
    assert.match(ran.stderr, new RegExp(`fulcrum invocations show ${id}`));
    const [{ later }] = events.asked as [{ later: { work: { args: Uint8Array } } }];
    assert.equal(Buffer.from(later.work.args).toString(), '[{"day":1}]');
    const waits = await run('invocations', 'show', id);
    assert.deepEqual([waits.code, waits.stdout], [0, '']);
    assert.match(waits.stderr, /^report call:build · waits · asked for /);

    const kept = events.answers.get(id)!;
    events.answers.set(id, answered(kept, 'done'));
    const done = await run('invocations', 'show', id);
    assert.deepEqual([done.code, done.stdout], [0, '{\n  "pages": 3\n}\n']);
    assert.match(done.stderr, /^report call:build · ok after 2\.5s · forgotten in 24h\n$/);
    const out = join(world.folder, 'report.json');
    assert.equal((await run('invocations', 'show', id, '--out', out)).stdout, '');
    assert.equal(await readFile(out, 'utf8'), '{"pages":3}');

    events.answers.set(id, answered(kept, 'failed'));
    const failed = await run('invocations', 'show', id);
    assert.deepEqual([failed.code, failed.stdout], [4, '']);
    assert.match(failed.stderr, /error handler-error: no paper\n.*handler-error after 2\.5s/);
    const json = JSON.parse((await run('invocations', 'show', id, '--json')).stdout) as { state: string };
    assert.equal(json.state, 'failed');
    assert.equal((await run('invocations', 'show', 'a_gone')).code, 1);
  });

  test('--wait asks until it is done', async () => {
    let asked = 0;
    const real = events.answer.bind(events);
    events.answer = async (id) => {
      const kept = await real(id);
      return ++asked < 3 ? kept : answered(kept!, 'done');
    };
    const ran = await run('invoke', 'report', 'build', '--async', '--wait');
    assert.deepEqual([ran.code, ran.stdout, asked], [0, '{\n  "pages": 3\n}\n', 3]);
  });

  test('what cannot be kept is said before anything is asked', async () => {
    const CASES: [string[], RegExp][] = [
      [['--event', 'order.paid', '--async'], /fulcrum events publish order\.paid/],
      [['build', '--wait'], /--wait is of --async/],
    ];
    for (const [args, says] of CASES) {
      const ran = await run('invoke', 'report', ...args);
      assert.deepEqual([ran.code, ran.stdout], [2, '']);
      assert.match(ran.stderr, says);
    }
    assert.deepEqual([events.asked, port.asked], [[], []]);
  });

  test('doctor asks the servers of its user what they gave up', async () => {
    port.list[0] = component({
      name: 'receipts',
      backlog: { waiting: 0, oldestDueAtMs: null, underWay: 0, later: 0, dead: 2 },
    });
    const { findings } = JSON.parse((await run('doctor', '--json')).stdout) as { findings: object[] };
    const found = findings.find((finding) => 'name' in finding && finding.name === 'dead letters');
    assert.deepEqual(found, {
      ...{ name: 'dead letters', status: 'warning', found: '2 for receipts of shop@development' },
      advice: '`fulcrum events ls --state dead` lists them, `fulcrum events show ID` says why.',
    });
  });

  test('with a token that may only look, everything is seen but payloads', async () => {
    const host = await world.host(new FakeHost(appRecord()));
    const fake = host.host.ports.get('shop') as FakePort;
    fake.events.rows = [delivery()];
    const { stdout } = await run('tokens', 'create', '--name', 'watch', '--scope', 'read');
    const env = { FULCRUM_URL: host.url, FULCRUM_TOKEN: stdout.trim() };
    const look = (...args: string[]): Promise<Ran> =>
      world.run(['events', ...args, '--app', 'shop'], { env });
    assert.match((await look('ls')).stdout, /^dead +e_0/m);
    assert.equal((await look('show', EVENT_ID)).code, 0);
    for (const args of [
      ['show', EVENT_ID, '--payload'],
      ['drop', '--all', '--yes'],
      ['retry', '--all'],
    ]) {
      const refused = await look(...args);
      assert.deepEqual([refused.code, refused.stdout], [1, ''], args.join(' '));
      assert.match(refused.stderr, /error forbidden: This needs a token of scope '(admin|deploy)'/);
    }
    await host.end();
  });
});
