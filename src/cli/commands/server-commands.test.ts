import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { appRecord, FakeHost } from '../../control/fixtures/fake-host.ts';
import { World, type HostFixture, type Ran } from '../fixtures/run-cli.ts';

const MARKER = 'sk_live_m4rk3r';

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function assertFits(ran: Ran, width = 80): void {
  for (const line of linesOf(ran.stdout)) assert.ok(Array.from(line).length <= width, `too wide: ${line}`);
}

describe('commands about a server of apps', () => {
  let world: World;
  let there: HostFixture;

  before(async () => {
    world = await World.make();
    there = await world.host(
      new FakeHost(
        appRecord(),
        appRecord({
          id: 'shop@staging',
          environment: 'staging',
          hosts: ['staging.shop.example.com', 'a-second-name-of-the-shop.example.com'],
          prefix: '/preview',
          canary: { steps: [1, 10, 50], everyMs: 1, maxErrors: 0.01, release: 3, step: 1, stepBeganAtMs: 1 },
        }),
        appRecord({ id: 'blog', name: 'blog', hosts: [], serving: null }),
      ),
    );
  });
  after(() => world.end());
  beforeEach(() => {
    there.host.fails = null;
    there.host.asked.length = 0;
    there.secrets.values.clear();
    there.audit.entries.length = 0;
  });

  const run = async (
    args: string,
    options: { input?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ran> => {
    const ran = await world.run(args.split(' '), options);
    assertFits(ran);
    return ran;
  };

  test('apps ls tells where each answers and what serves', async () => {
    const ran = await run('apps ls');
    assert.equal(ran.code, 0, ran.stderr);
    const lines = linesOf(ran.stdout);
    assert.match(lines[0]!, /^APP +RELEASE {2}CANARY +ANSWERS UNDER$/);
    assert.match(lines[1]!, /^shop +2 {2}- +shop\.example\.com$/);
    assert.match(lines[2]!, /^shop@staging +2 {2}3 \(10%\) +staging\.shop\.example\.com\/preview a-s.*…$/);
    assert.match(lines[3]!, /^blog +- {2}- +any other host$/);
    const json = JSON.parse((await world.run(['apps', 'ls', '--json'])).stdout) as unknown[];
    assert.equal(json.length, 3);
  });

  test('apps route and rm ask the server, and rm wants to be meant', async () => {
    const routed = await run(
      'apps route blog --host blog.example.com --host www.blog.example.com --prefix /b',
    );
    assert.equal(routed.stdout, 'blog answers under blog.example.com/b www.blog.example.com/b.\n');
    const unsure = await run('apps rm shop');
    assert.equal(unsure.code, 2);
    assert.match(
      unsure.stderr,
      /its releases, secrets, usage and the files it has stored, for good\. Say --yes/,
    );
    assert.equal((await run('apps rm sho --yes')).code, 1);
    assert.deepEqual(there.host.asked, [
      { setRouting: 'blog', routing: { hosts: ['blog.example.com', 'www.blog.example.com'], prefix: '/b' } },
    ]);
    assert.equal((await run('apps rm shop --yes')).stdout, 'Removed shop.\n');
    assert.deepEqual(there.host.asked.at(-1), { removeApp: 'shop' });
  });

  test('a command finds the app by id, by name where that is enough, or says which there are', async () => {
    const several = await run('ps');
    assert.equal(several.code, 2);
    assert.match(
      several.stderr,
      /Several apps run there; say which one with `--app`: shop, shop@staging, blog\./,
    );
    for (const [app, code, message] of [
      ['shop', 0, /^$/],
      ['shop@staging', 0, /^$/],
      ['blog', 0, /^$/],
      ['shop@stagin', 3, /No server runs the app shop@stagin/],
    ] as const) {
      const ran = await run(`ps --app ${app}`);
      assert.equal(ran.code, code, `${app}: ${ran.stderr}`);
      assert.match(ran.stderr, message);
    }
  });

  test('a secret comes from standard input, is shown by nothing, and is used from the next deploy on', async () => {
    const set = await run('secrets set PAYMENT_KEY --app shop', { input: `${MARKER}\n` });
    assert.equal(set.code, 0, set.stderr);
    assert.equal(
      set.stdout,
      'Set PAYMENT_KEY of shop. It is used from the next deploy or restart on; with\n--apply at once.\n',
    );
    assert.deepEqual(there.host.asked, []);
    assert.equal(there.secrets.values.get('shop PAYMENT_KEY')?.value, MARKER, 'without the line break');
    const list = await run('secrets ls --app shop');
    assert.match(
      list.stdout,
      /^NAME +SET +AT\nPAYMENT_KEY +(now|\ds ago) +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/,
    );
    const json = await run('secrets ls --app shop --json');
    const audit = await run('audit --app shop --json');
    for (const { stdout, stderr } of [set, list, json, audit]) {
      assert.ok(!`${stdout}${stderr}`.includes(MARKER));
    }
    const removed = await run('secrets rm PAYMENT_KEY --app shop');
    assert.match(removed.stdout, /^Removed PAYMENT_KEY of shop\. A deploy whose config names it is refused/);
    assert.equal((await run('secrets ls --app shop')).stdout, 'shop has no secrets.\n');
    assert.equal((await run('secrets rm PAYMENT_KEY --app shop')).code, 1);
  });

  test('a secret that what serves needs is removed only by force', async () => {
    await run('secrets set PAYMENT_KEY --app shop', { input: MARKER });
    there.host.users.set('shop PAYMENT_KEY', ['catalog', 'checkout']);
    const refused = await run('secrets rm PAYMENT_KEY --app shop');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /conflict: What serves of 'shop' needs PAYMENT_KEY, for catalog, checkout: /,
    );
    assert.ok(there.secrets.values.has('shop PAYMENT_KEY'));
    const forced = await run('secrets rm PAYMENT_KEY --force --app shop');
    assert.match(
      forced.stdout,
      /^Removed PAYMENT_KEY of shop\. What runs keeps it until it is started again/,
    );
    assert.ok(!there.secrets.values.has('shop PAYMENT_KEY'));
    there.host.users.clear();
  });

  test('why an app does not run is shown by apps ls, ps and logs', async () => {
    const { host } = there;
    const port = host.ports.get('shop')!;
    host.ports.delete('shop');
    host.failures.set('shop', { atMs: 1, message: 'secret-missing: A secret has no value' });
    try {
      const list = await run('apps ls');
      assertFits(list);
      assert.match(list.stdout, /^Not running: shop: secret-missing: A secret has no value$/m);
      const ps = await run('ps --app shop');
      assert.equal(ps.code, 1);
      assert.match(ps.stderr, /Release 2 of 'shop' should serve, does not start[^]*A secret has no value/);
      const logs = await run('logs --app shop');
      assert.equal(logs.code, 0, logs.stderr);
      const invoked = await run('invoke catalog f --app shop');
      assert.match(invoked.stderr, /'shop' does not run[^]*A secret has no value/);
    } finally {
      host.ports.set('shop', port);
      host.failures.clear();
    }
  });

  test('--apply brings what runs up anew, and says how that went', async () => {
    const ran = await run('secrets set PAYMENT_KEY --apply --app shop', { input: MARKER });
    assert.match(ran.stderr, /^ {2}✓ check +3ms\n {2}✓ start catalog +81ms\n$/);
    assert.equal(ran.stdout, 'Set PAYMENT_KEY of shop. What runs has it now.\n');
    assert.deepEqual(there.host.asked, [{ reload: 'shop', by: 'socket' }]);
    there.host.fails = new FulcrumError('deploy-failed', 'catalog did not start: it threw on import.');
    const failed = await run('secrets set PAYMENT_KEY --apply --app shop', { input: MARKER });
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /error deploy-failed: catalog did not start/);
  });

  test('a secret may be set before the app is there; what cannot be one is refused', async () => {
    const ran = await run('secrets set A --app new-one', { input: 'v' });
    assert.equal(ran.stdout, 'Set A of new-one. There is no such app yet: it waits for its first deploy.\n');
    assert.ok(there.secrets.values.has('new-one A'));
    const empty = await run('secrets set A --app shop');
    assert.equal(empty.code, 2);
    assert.match(empty.stderr, /A was given no value/);
    const long = await run('secrets set A --app shop', { input: 'x'.repeat(70_000) });
    assert.match(long.stderr, /at most 64 KB/);
    const inArgs = await run(`secrets set A ${MARKER} --app shop`, { input: 'v' });
    assert.equal(inArgs.code, 2, 'a value on the command line is not taken');
    assert.ok(!inArgs.stderr.includes(MARKER));
    const joined = await run(`secrets set A=${MARKER} --app shop`, { input: 'v' });
    assert.equal(joined.code, 2);
    assert.ok(!joined.stderr.includes(MARKER));
  });

  test('tokens are made, shown once, listed without themselves, and revoked', async () => {
    const made = await run('tokens create --name ci --scope deploy --app shop --expires 90d');
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^ful_[0-9a-z]{47}\n$/);
    assert.match(made.stderr, /^Token 'ci' \(t_\w{8}\): deploy, shop, until \d{4}-\d\d-\d\d/);
    const token = made.stdout.trim();
    assert.ok(!made.stderr.includes(token));
    await run('tokens create --name anna --scope admin');
    const list = await run('tokens ls');
    const lines = linesOf(list.stdout);
    assert.match(lines[0]!, /^ID +NAME +SCOPE +APPS +EXPIRES +LAST USED +MADE$/);
    assert.match(lines[1]!, /^t_\w{8} +ci +deploy +shop +in 90d +never +(now|\ds ago)$/);
    assert.match(lines[2]!, /^t_\w{8} +anna +admin +all +never +never +/);
    const json = await run('tokens ls --json');
    assert.ok(!`${list.stdout}${json.stdout}`.includes(token));
    assert.ok(!json.stdout.includes('hash'));

    const env = { FULCRUM_URL: there.url, FULCRUM_TOKEN: token };
    assert.equal((await run('ps --app shop', { env })).code, 0);
    const [{ id }] = JSON.parse(json.stdout) as [{ id: string }];
    assert.equal((await run(`tokens revoke ${id}`)).stdout, `Revoked ${id}.\n`);
    const refused = await run('ps --app shop', { env });
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /error unauthorized: The token is not a valid one; it may have been revoked\./,
    );
    assert.match((await run('tokens create --name x --scope deploi')).stderr, /Did you mean 'deploy'\?/);
    assert.match(
      (await run('tokens create --name x --scope read --expires soon')).stderr,
      /such as 12h or 90d/,
    );
    assert.match(
      (await run('tokens create --name x --scope read --expires 1s')).stderr,
      /--expires takes a minute \(1m\) at least and ten years \(3660d\) at most; it was '1s'\./,
    );
    assert.match(
      (await run('tokens create --name x --scope read --app Shop')).stderr,
      /cannot be an app's id/,
    );
  });

  test('audit shows who did what, the newest last, also what was refused', async () => {
    const made = await run('tokens create --name read-only --scope read');
    const env = { FULCRUM_URL: there.url, FULCRUM_TOKEN: made.stdout.trim() };
    await run('mode catalog service --app shop');
    await run('mode catalog function --app shop', { env });
    const ran = await run('audit');
    const lines = linesOf(ran.stdout);
    assert.match(lines[0]!, /^WHEN +WHO +WHAT +APP$/);
    assert.match(lines[1]!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}socket +token\.create +-$/);
    assert.match(lines[2]!, /^ {2}id: t_\w{8}, name: read-only, scope: read$/);
    assert.match(lines[3]!, / socket +mode\.set +shop$/);
    assert.equal(lines[4], '  component: catalog, mode: service');
    assert.match(lines[5]!, / read-only .*mode\.set +shop$/);
    assert.match(lines[6]!, /^ {2}refused \(forbidden\)/);
    const json = JSON.parse((await run('audit --app shop --json')).stdout) as { action: string }[];
    assert.deepEqual(
      json.map(({ action }) => action),
      ['mode.set', 'mode.set'],
    );
    assert.equal(linesOf((await run('audit -n 1')).stdout).length, 3);
  });

  test('ps tells the releases, and the share of each where there is a canary', async () => {
    const [alone, beside] = [await run('ps --app shop'), await run('ps --app shop@staging')];
    assert.equal(linesOf(alone.stdout)[1], 'release 2');
    assert.equal(
      linesOf(beside.stdout).slice(1, 3).join(' ').trimEnd(),
      'release 2 serves 90 % of the clients (its components are below); release 3, a canary, 10 %',
    );
    assert.deepEqual(
      (
        JSON.parse((await world.run(['ps', '--app', 'shop@staging', '--json'])).stdout) as {
          releases: unknown;
        }
      ).releases,
      [
        { release: 2, role: 'serving', percent: 90 },
        { release: 3, role: 'canary', percent: 10 },
      ],
    );
  });

  test('page prints a link that opens the admin page once', async () => {
    const made = await run('page');
    assert.equal(made.code, 0, made.stderr);
    const link = made.stdout.trim();
    assert.ok(link.startsWith(`${there.url}/?token=`));
    assert.equal(made.stderr, 'It opens the page once, within 60 s.\n');
    const opened = await fetch(link, { redirect: 'manual' });
    assert.equal(opened.status, 303);
    const session = opened.headers.get('location')!;
    const cookie = opened.headers.get('set-cookie')!.split(';')[0]!;
    const apps = await fetch(`${there.url}${session}v1/apps`, { headers: { cookie } });
    assert.equal(apps.status, 200);
    assert.equal((await fetch(`${there.url}${session}v1/apps`)).status, 401);
    assert.equal((await fetch(link, { redirect: 'manual' })).status, 401, 'once');
    assert.equal((await fetch(`${there.url}/?token=`)).status, 401);
    assert.equal((await fetch(there.url)).status, 401);
  });

  test('secrets rotate tells the key that is used now', async () => {
    const ran = await run('secrets rotate');
    assert.match(ran.stdout, /^The key is 0123456789ab now; 0 secrets were sealed with it\./);
    assert.match(ran.stdout.replaceAll(/\s+/g, ' '), /`fulcrum secrets forget-keys` takes it out/);
    there.secrets.unopened.push("PAYMENT_KEY of 'blog'");
    const partly = await run('secrets rotate');
    there.secrets.unopened.length = 0;
    assert.equal(partly.code, 1);
    assert.match(partly.stdout, /These do not open, and are as they were; .*: PAYMENT_KEY of 'blog'\./s);
    const forgot = await run('secrets forget-keys');
    assert.match(forgot.stdout, /^Forgotten: ba9876543210\. Backups from before 0123456789ab cannot/);
  });
});

describe('a server by its address', () => {
  let world: World;
  let there: HostFixture;

  before(async () => {
    world = await World.make();
    there = await world.host(new FakeHost());
  });
  after(() => world.end());

  const token = async (): Promise<string> =>
    (await world.run(['tokens', 'create', '--name', 't', '--scope', 'admin'])).stdout.trim();

  test('FULCRUM_URL or --url and FULCRUM_TOKEN are enough, and a Unix socket needs no token', async () => {
    const FULCRUM_TOKEN = await token();
    const inEnv = await world.run(['ps'], { env: { FULCRUM_URL: there.url, FULCRUM_TOKEN } });
    assert.equal(inEnv.code, 0, inEnv.stderr);
    const byOption = await world.run(['ps', '--url', there.url], { env: { FULCRUM_TOKEN } });
    assert.equal(byOption.stdout.split('\n')[2], inEnv.stdout.split('\n')[2]);
    const socket = await world.run(['ps', '--url', `unix:${there.socketPath}`]);
    assert.equal(socket.code, 0, socket.stderr);
  });

  const WRONG: [string, string[], NodeJS.ProcessEnv, number, RegExp][] = [
    ['no token', ['--url', 'http://127.0.0.1:1'], {}, 2, /asks for a token: put it into FULCRUM_TOKEN/],
    [
      'nobody there',
      ['--url', 'http://127.0.0.1:1'],
      { FULCRUM_TOKEN: 'x' },
      3,
      /does not answer \(.*ECONNREFUSED/,
    ],
    ['no address', ['--url', 'shop'], { FULCRUM_TOKEN: 'x' }, 2, /'shop' is no address of an admin API/],
    ['a token in it', ['--url', 'http://x:y@127.0.0.1:1'], {}, 2, /into FULCRUM_TOKEN, not into the address/],
    [
      'not encrypted',
      ['--url', 'http://fulcrum.invalid'],
      { FULCRUM_TOKEN: 'x' },
      3,
      /^warning: http:\/\/fulcrum\.invalid is not encrypted/,
    ],
  ];
  for (const [what, args, env, code, message] of WRONG) {
    test(`${what} is told in a sentence`, async () => {
      const ran = await world.run(['ps', ...args], { env });
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, message);
      assert.ok(!ran.stderr.includes(':y@'));
    });
  }

  test('a wrong token is told, and is in no output', async () => {
    const ran = await world.run(['ps'], { env: { FULCRUM_URL: there.url, FULCRUM_TOKEN: 'hunter2' } });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /error unauthorized: /);
    assert.ok(!`${ran.stdout}${ran.stderr}`.includes('hunter2'));
  });
});

test('of a dev server, which keeps no secrets and no tokens, that is said', async () => {
  const world = await World.make();
  await world.serve('shop');
  for (const [args, code, message] of [
    ['secrets set A', 1, /not-found: This server keeps no secrets: its app reads them from \.env files\./],
    ['secrets ls --app nope', 3, /No server runs the app nope\. These are running:\n {2}shop /],
    ['tokens ls', 1, /not-found: This server keeps no tokens\./],
    ['audit', 1, /not-found: This server keeps no log of changes\./],
  ] as const) {
    const ran = await world.run(args.split(' '), { input: 'v' });
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, message);
  }
  await world.end();
});
