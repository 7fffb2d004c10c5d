import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ModeChange } from '../../src/control/port.ts';
import type { ComponentStatus, GroupStatus } from '../../src/model/status.ts';
import { ask } from './support/admin-api.ts';
import { appFolder, type AppFolder } from './support/app-folder.ts';
import { DevProcess, fulcrum, isolatedEnv, type Finished } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';
import { steadyLoad } from './support/steady-load.ts';

interface Answer {
  readonly version: string;
  readonly process: string;
  readonly inventory: { readonly version: string; readonly process: string };
}

/** A name for the process that it is asked in: in two sandboxes ids may be the same. */
const PROCESS = '`${process.pid} ${readlinkSync("/proc/self/ns/pid")}`';

/** `checkout` answers with what `inventory` says: which processes they run in, and of which release they are. */
const checkout = (version: string): string => `
  import { readlinkSync } from 'node:fs';
  import { use } from 'fulcrum';
  const inventory = use<typeof import('./inventory.ts')>('inventory');
  export default {
    async fetch() {
      return Response.json({ version: '${version}', process: ${PROCESS}, inventory: await inventory.look() });
    },
  };`;
const inventory = (version: string): string => `
  import { readlinkSync } from 'node:fs';
  export async function look() { console.log('looked'); return { version: '${version}', process: ${PROCESS} }; }
  export default { fetch: () => new Response('inventory') };`;

const JOINED = `groups: { core: ['checkout', 'inventory'] },`;
const APART = '';

const configOf = (grouping: string, more = ''): string => `
  import { defineApp } from 'fulcrum';
  export default defineApp({
    name: 'grouped',
    ${grouping}
    components: {
      checkout: { entry: './checkout.ts', routes: ['/checkout'], ${more} },
      inventory: { entry: './inventory.ts', routes: ['/inventory'] },
      other: { entry: './other.ts', routes: ['/other'] },
    },
  });`;

function shop(t: TestContext, grouping: string): Promise<AppFolder> {
  return appFolder(t, {
    'fulcrum.config.ts': configOf(grouping),
    'checkout.ts': checkout('1'),
    'inventory.ts': inventory('1'),
    'other.ts': `export default { fetch: () => new Response('other') };`,
  });
}

async function buy(url: string, cookie: string | null = null): Promise<Answer> {
  const answer = await fetch(`${url}/checkout`, cookie === null ? {} : { headers: { cookie } });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text) as Answer;
}

const isJoined = ({ process: own, inventory: its }: Answer): boolean => own === its.process;

interface Shown {
  readonly components: readonly ComponentStatus[];
  readonly groups: readonly GroupStatus[];
}

function jsonOf({ code, stdout, stderr }: Finished): unknown {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('a group in dev: one process, one mode, and routes, limits and logs of each member', async (t) => {
  const env = isolatedEnv();
  const app = await shop(t, JOINED);
  const dev = await DevProcess.start(t, env, app.path);
  const run = (...args: string[]): Promise<Finished> => fulcrum(env, [...args, '--app', app.path]);
  await dev.prints(
    /^ {2}core +function *\n {4}checkout +\/checkout\n {4}inventory +\/inventory\n {2}other +function/m,
  );

  assert.ok(isJoined(await buy(dev.url)));
  const refused = await run('mode', 'checkout', 'service');
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^error bad-request: 'checkout' has no mode of its own: it is in the group 'core'/,
  );
  assert.match(refused.stderr, /`fulcrum mode core service`/);
  const switched = jsonOf(await run('mode', 'core', 'service', '--json')) as ModeChange;
  assert.deepEqual([switched.component, switched.from, switched.to], ['core', 'function', 'service']);
  const answer = await buy(dev.url);
  assert.ok(isJoined(answer));

  const { components, groups } = jsonOf(await run('ps', '--json')) as Shown;
  const [core] = groups;
  assert.deepEqual([groups.length, core!.name, core!.members], [1, 'core', ['checkout', 'inventory']]);
  assert.deepEqual([core!.mode, core!.modeSetting, core!.engine], ['service', 'service', 'spawn']);
  assert.deepEqual(
    core!.instances.flatMap(({ state }) => (state === 'ready' ? [state] : [])),
    ['ready'],
  );
  const [first, second, third] = components;
  assert.deepEqual([first!.group, second!.group, third!.group], ['core', 'core', null]);
  assert.deepEqual([first!.mode, second!.mode, third!.mode], ['service', 'service', 'function']);
  assert.deepEqual(
    first!.instances.map(({ id, revision }) => [id, revision]),
    second!.instances.map(({ id, revision }) => [id, revision]),
  );
  assert.equal(
    new Set([first!.revision, second!.revision, core!.revision]).size,
    3,
    'each has a version of its own',
  );
  assert.equal(first!.lastMinute!.count, 2);
  const shown = await run('ps');
  assert.match(shown.stdout, /^core +service +spawn +1\n {2}checkout +2 +0 .*\n {2}inventory +0 /m);
  for (const line of shown.stdout.split('\n')) assert.ok(line.length <= 80, line);

  // What the processes print is a member's; that they start and end is the group's.
  const own = await run('logs', 'inventory');
  assert.match(own.stdout, /inventory │ looked$/m);
  assert.doesNotMatch(own.stdout, /starts/);
  assert.match((await run('logs', 'core')).stdout, /core │ switched from function to service/);

  const limited = await run('limits', 'checkout', '--concurrency', '0');
  assert.equal(limited.code, 0, limited.stderr);
  assert.equal((await fetch(`${dev.url}/checkout`)).status, 429);
  assert.equal((await fetch(`${dev.url}/inventory`)).status, 200);
  assert.match((await run('ps')).stdout, /^checkout: switched off by hand$/m);
  const ofGroup = await run('limits', 'core');
  assert.equal(ofGroup.code, 1);
  assert.match(ofGroup.stderr, /'core' is a group and has no limits\. Its members: checkout, inventory\./);
  assert.match(
    (await run('invoke', 'inventory', 'look')).stdout,
    new RegExp(`"process": "${RegExp.escape(answer.process)}"`),
  );
  const invoked = await run('invoke', 'core', 'look');
  assert.match(invoked.stderr, /'core' is a group/);
});

test('members of different modes are told, and nothing is started', async (t) => {
  const app = await shop(t, JOINED);
  await app.write(
    'fulcrum.config.ts',
    configOf(JOINED, `mode: 'service',`).replace(
      `routes: ['/inventory']`,
      `routes: ['/inventory'], mode: 'function'`,
    ),
  );
  const ran = await fulcrum(isolatedEnv(), ['dev', app.path, '--port', '0', '--admin-port', '0']);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /config-invalid/);
  assert.match(ran.stderr, /groups\.core/);
  assert.match(ran.stderr, /its members share a process, and differ in mode/);
  assert.match(ran.stderr, /checkout and inventory/);
});

test('components are taken apart and put together in dev while requests run: none fails', async (t) => {
  const env = isolatedEnv();
  const app = await shop(t, JOINED);
  const dev = await DevProcess.start(t, env, app.path);
  const load = steadyLoad(`${dev.url}/checkout`, { rps: 50, maxMs: 120_000 });
  const saved = async (grouping: string): Promise<string> => {
    const from = dev.output.length;
    await app.write('fulcrum.config.ts', configOf(grouping));
    const [line] = await dev.prints(/^(?:reloaded .*|✖ .*)$/m, from);
    return line;
  };
  assert.ok(isJoined(await buy(dev.url)));
  const mode = (...args: string[]): Promise<Finished> =>
    fulcrum(env, ['mode', ...args, '--app', app.path, '--json']);
  assert.equal((await mode('core', 'service')).code, 0);
  for (let i = 0; i < 3; i++) {
    assert.match(await saved(APART), /^reloaded checkout, inventory in/);
    assert.ok(!isJoined(await buy(dev.url)));
    const { components, groups } = jsonOf(await fulcrum(env, ['ps', '--json', '--app', app.path])) as Shown;
    assert.deepEqual(groups, []);
    // What was chosen for the group is the group's; what was chosen for the member before is its own again.
    assert.equal(components[0]!.mode, i === 0 ? 'function' : 'service');
    if (i === 0) assert.equal((await mode('checkout', 'service')).code, 0);
    assert.match(await saved(JOINED), /^reloaded checkout, inventory in/);
    assert.ok(isJoined(await buy(dev.url)));
    const joined = jsonOf(await fulcrum(env, ['ps', '--json', '--app', app.path])) as Shown;
    assert.equal(joined.groups[0]!.mode, 'service');
  }
  // Another member's file: the process of both is another one then, and the rest is let be.
  const before = await buy(dev.url);
  const from = dev.output.length;
  await app.write('inventory.ts', inventory('2'));
  await dev.prints(/^reloaded inventory in/m, from);
  const after = await buy(dev.url);
  assert.deepEqual([after.version, after.inventory.version], ['1', '2']);
  assert.ok(isJoined(after) && after.process !== before.process);
  const { sent, failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.ok(sent > 50, `only ${sent} requests were sent`);
});

test('a release with another grouping: the difference, a canary of it, and modes that outlive the server', async (t) => {
  const env = isolatedEnv();
  const data = dataFolder(t);
  const first = await ServerProcess.start(t, { env, data });
  const app = await shop(t, APART);
  const deploy = async (server: ServerProcess, ...args: readonly string[]): Promise<Finished> => {
    const done = await server.run('deploy', app.path, '--no-typecheck', ...args);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done;
  };
  await deploy(first);
  assert.ok(!isJoined(await buy(first.url)));
  assert.equal((await first.run('mode', 'checkout', 'service')).code, 0);

  await app.write('fulcrum.config.ts', configOf(JOINED));
  await app.write('checkout.ts', checkout('2'));
  await app.write('inventory.ts', inventory('2'));
  await deploy(first, '--canary', '50%', '--every', '600s');
  const differing = await first.run('diff', '1', '2');
  assert.match(
    differing.stdout,
    /^groups: components in one process\n {2}\+ core: checkout, inventory\n\ncode\n {2}~ checkout, inventory$/m,
  );
  const seen = new Map<string, Answer>();
  for (const begun = performance.now(); seen.size < 2; await wait(5)) {
    const answer = await buy(first.url);
    // A request stays within the release that it came to, and so do its calls.
    assert.equal(answer.inventory.version, answer.version);
    assert.equal(isJoined(answer), answer.version === '2');
    seen.set(answer.version, answer);
    assert.ok(performance.now() - begun < 30_000, 'only one of the two releases is asked');
  }
  assert.equal((await first.run('canary', 'promote')).code, 0);
  assert.ok(isJoined(await buy(first.url)));
  const deployed = await first.run('ps');
  assert.match(deployed.stdout, /^core +function /m);
  assert.equal((await first.run('mode', 'checkout', 'function')).code, 1);
  assert.equal((await first.run('mode', 'core', 'service')).code, 0);

  first.signal('SIGTERM');
  await first.exited;
  const second = await ServerProcess.start(t, { env, data });
  for (
    const begun = performance.now();
    (await fetch(`${second.url}/checkout`)).status !== 200;
    await wait(20)
  )
    assert.ok(performance.now() - begun < 30_000, second.output);
  const groups = (await ask(env, 'GET', '/apps/grouped/groups')).body as readonly GroupStatus[];
  assert.deepEqual(
    [groups[0]!.name, groups[0]!.mode, groups[0]!.modeSetting],
    ['core', 'service', 'service'],
  );

  await app.write('fulcrum.config.ts', configOf(APART));
  const started = await deploy(second);
  assert.match(started.stderr, /start checkout/);
  assert.ok(!isJoined(await buy(second.url)));
  const components = (await ask(env, 'GET', '/apps/grouped/components')).body as readonly ComponentStatus[];
  assert.deepEqual(
    components.map(({ name, mode, group }) => [name, mode, group]),
    [
      ['checkout', 'service', null],
      ['inventory', 'function', null],
      ['other', 'function', null],
    ],
    'checkout has the mode again that was chosen for it before it was in a group',
  );
  assert.match((await second.run('diff', '2', '3')).stdout, /^ {2}- core: checkout, inventory$/m);
});

test('what members store is theirs in every grouping, and what one prints before it fails is told', async (t) => {
  const env = isolatedEnv();
  const server = await ServerProcess.start(t, { env, data: dataFolder(t) });
  const stored = (joined: boolean): string => `
    import { defineApp } from 'fulcrum';
    export default defineApp({
      name: 'stored',
      ${joined ? `groups: { core: ['one', 'two'] },` : ''}
      components: {
        one: { entry: './one.ts', routes: ['/one'], storage: ['./notes'] },
        two: { entry: './two.ts', routes: ['/two'], mode: 'service' },
      },
    });`;
  const app = await appFolder(t, {
    'fulcrum.config.ts': stored(false),
    'one.ts': `
      import { appendFileSync, readFileSync } from 'node:fs';
      export default {
        fetch() { appendFileSync('notes/all', 'x'); return new Response(readFileSync('notes/all', 'utf8')); },
      };`,
    'two.ts': `
      import { existsSync } from 'node:fs';
      export default { fetch: () => new Response(String(existsSync('notes/all'))) };`,
  });
  const deploy = (): Promise<Finished> => server.run('deploy', app.path, '--no-typecheck');
  const get = async (path: string): Promise<string> => await (await fetch(`${server.url}${path}`)).text();
  const deployed = async (joined: boolean): Promise<ComponentStatus> => {
    await app.write('fulcrum.config.ts', stored(joined));
    const done = await deploy();
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return ((await ask(env, 'GET', '/apps/stored/components')).body as ComponentStatus[])[1]!;
  };
  const { sandbox } = await deployed(false);
  assert.equal(await get('/one'), 'x');
  const apart = await get('/two');
  if (sandbox?.complete === true) assert.equal(apart, 'false', 'what another stores is hidden');
  const joined = await deployed(true);
  assert.equal(await get('/one'), 'xx');
  assert.equal(await get('/two'), 'true', 'a process has one view of the files');
  if (sandbox?.complete === true) assert.notEqual(joined.sandbox?.uid, sandbox.uid, 'a user of its own');
  await deployed(false);
  assert.equal(await get('/one'), 'xxx');

  // What a console prints is the member's, what goes round it the process' own.
  await app.write(
    'two.ts',
    `import { writeSync } from 'node:fs';
    writeSync(2, 'a library complains\\n');
    console.log('two looks for its disk');
    throw new Error('no disk');`,
  );
  await app.write('fulcrum.config.ts', stored(true));
  const failed = await deploy();
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /✗ start core/);
  assert.match(failed.stderr, /no disk/);
  assert.match(failed.stderr, /^ +two looks for its disk$/m);
  assert.match(failed.stderr, /^ +a library complains$/m);
  assert.equal(await get('/one'), 'xxxx');
});
