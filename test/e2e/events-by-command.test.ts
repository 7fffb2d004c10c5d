import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { appFolder, config } from './support/app-folder.ts';
import { fulcrum, isolatedEnv, type Finished } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

/** What handlers do is told in the log; they fail while a file that the test makes says so. */
const RECEIPTS = `
  import { existsSync } from 'node:fs';
  export default { async queue(batch) {
    for (const message of batch.messages) {
      if (existsSync('./state/broken')) throw new TypeError('no paper for ' + message.id);
      console.log('receipt', message.type, JSON.stringify(message.data), 'attempt', message.attempt, 'key', message.key);
    }
  } };`;
const COPIES = `
  export default { async queue(batch) {
    for (const message of batch.messages) console.log('copy', message.type, JSON.stringify(message.data));
  } };`;
const REPORT = `
  export async function build(day) {
    if (day === 'none') throw new RangeError('there is no such day');
    return { day, pages: 3 };
  }
  export default {};`;

const COMPONENTS = `{
  receipts: { entry: './receipts.ts', storage: ['./state'],
    events: { types: ['order.paid'], retry: { attempts: 2, first: '10ms', longest: '20ms' } } },
  copies: { entry: './copies.ts', events: ['order.copied'] },
  report: { entry: './report.ts', async: { retry: { attempts: 1 } } },
}`;

interface World {
  readonly server: ServerProcess;
  /** A command of the server's own user. */
  run(...args: readonly string[]): Promise<Finished>;
  /** Makes the handler of receipts fail, or work again. */
  broken(isBroken: boolean): void;
}

async function start(t: TestContext): Promise<World> {
  const app = await appFolder(t, {
    'fulcrum.config.ts': config(COMPONENTS),
    'receipts.ts': RECEIPTS,
    'copies.ts': COPIES,
    'report.ts': REPORT,
  });
  const data = dataFolder(t);
  const server = await ServerProcess.start(t, { env: isolatedEnv(), data });
  const deployed = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(deployed.code, 0, deployed.stderr);
  const broken = join(data, 'apps', 'test', 'storage', 'state', 'broken');
  return {
    server,
    run: (...args) => server.run(...args),
    broken: (isBroken) => (isBroken ? writeFileSync(broken, '') : rmSync(broken, { force: true })),
  };
}

/** Asks again until the answer is what is waited for; the test's own limit ends it where that never comes. */
async function until(ask: () => Promise<Finished>, pattern: RegExp): Promise<Finished> {
  for (;;) {
    const answer = await ask();
    if (pattern.test(answer.stdout)) return answer;
  }
}

// One server for all: each leaves nothing that the next would stumble over.
test('events by the command line', async (t) => {
  const { server, run, broken } = await start(t);

  await t.test('what is published is delivered, and then nothing of it is left', async () => {
    const published = await run(
      'events',
      'publish',
      'order.paid',
      '--data',
      '{"order":"o-1"}',
      '--key',
      'o-1',
    );
    assert.equal(published.code, 0, published.stderr);
    assert.match(published.stdout, /^e_\w+\n$/);
    assert.equal(published.stderr, 'Kept, for receipts.\n');
    await until(() => run('logs', 'receipts'), /receipt order\.paid \{"order":"o-1"\} attempt 1 key o-1/);
    await until(() => run('events', 'ls'), /^test has nothing left to do/);
    const gone = await run('events', 'show', published.stdout.trim());
    assert.match(gone.stderr, /error not-found: There is no event 'e_\w+' here: it is done with/);

    const twice = ['events', 'publish', 'order.paid', '--dedupe', 'once'];
    const [first, second] = [await run(...twice), await run(...twice)];
    assert.equal(second.stdout, first.stdout);
    assert.match(second.stderr, /A duplicate/);
  });

  await t.test('what is given up is shown with its attempts, and delivered after a retry', async () => {
    broken(true);
    const id = (await run('events', 'publish', 'order.paid', '--data', '{"order":"o-2"}')).stdout.trim();
    const dead = await until(() => run('events', 'ls', '--state', 'dead'), /^dead /m);
    assert.match(
      dead.stdout,
      new RegExp(`^dead +${id} +order\\.p\\S* +receipts .* 2\\n  .*no paper for ${id}`, 'm'),
    );
    const shown = await run('events', 'show', id, '--payload');
    assert.match(shown.stdout, /^receipts · dead after 2 attempts; forgotten in 14d$/m);
    assert.match(shown.stdout, /^ {2}#1 .*handler-error$[^]*no paper[^]*^ {2}#2 .*handler-error$/m);
    assert.ok(shown.stdout.endsWith('\n{\n  "order": "o-2"\n}\n'), shown.stdout);
    const ps = await run('ps');
    assert.match(ps.stdout, /^receipts: 1 dead: fulcrum events ls --state dead --component receipts$/m);

    broken(false);
    assert.equal((await run('events', 'retry', id, '--dry-run')).stdout, 'Would retry 1 event of test.\n');
    assert.match((await run('events', 'ls')).stdout, /^dead /m, 'nothing was changed');
    const retried = await run('events', 'retry', id);
    assert.equal(retried.code, 0, retried.stderr);
    await until(() => run('logs', 'receipts'), /receipt order\.paid \{"order":"o-2"\} attempt 1/);
    await until(() => run('events', 'ls'), /^test has nothing left to do/);
    const { stdout } = await run('audit', '--app', 'test', '--json');
    assert.ok(
      stdout.includes('events.retry') && stdout.includes('events.publish') && !stdout.includes('o-2'),
    );
  });

  await t.test('what nobody takes is kept, and given to another component', async () => {
    const published = await run('events', 'publish', 'order.lost', '--data', '{"order":"o-3"}');
    assert.match(published.stderr, /No component takes order\.lost: it is kept for 14 days/);
    const dry = await run('events', 'redrive', '--state', 'unmatched', '--to', 'copies', '--dry-run');
    assert.equal(dry.stdout, 'Would give 1 event of test (state unmatched) to copies.\n');
    const unsure = await run('events', 'redrive', '--state', 'unmatched', '--to', 'copies');
    assert.deepEqual([unsure.code, /Say --yes to mean it/.test(unsure.stderr)], [2, true]);
    assert.match((await run('events', 'ls')).stdout, /^unmatched /m);
    const given = await run('events', 'redrive', '--state', 'unmatched', '--to', 'copies', '--yes');
    assert.equal(given.stdout, 'Gave 1 event of test (state unmatched) to copies.\n');
    await until(() => run('logs', 'copies'), /copy order\.lost \{"order":"o-3"\}/);

    await run('events', 'publish', 'order.copied', '--delay', '30d');
    assert.match((await run('events', 'ls')).stdout, /^delayed +e_\w+ .* in 30d +-$/m);
    const dropped = await run('events', 'drop', '--type', 'order.copied', '--yes');
    assert.equal(dropped.stdout, 'Forgot 1 event of test (type order.copied).\n');
    assert.match((await run('events', 'ls')).stdout, /^test has nothing left to do/);
  });

  await t.test('an asynchronous invocation is answered at once, and its result is fetched', async () => {
    const kept = await run('invoke', 'report', 'build', '--data', '"monday"', '--async');
    assert.equal(kept.code, 0, kept.stderr);
    assert.match(kept.stdout, /^a_\w+\n$/);
    const shown = await run('invocations', 'show', kept.stdout.trim(), '--wait');
    assert.deepEqual([shown.code, JSON.parse(shown.stdout)], [0, { day: 'monday', pages: 3 }]);
    assert.match(shown.stderr, /^report call:build · ok after /);
    const failed = await run('invoke', 'report', 'build', '--data', '"none"', '--async', '--wait');
    assert.deepEqual([failed.code, failed.stdout], [4, '']);
    assert.match(failed.stderr, /there is no such day/);
    const unknown = await run('invocations', 'show', 'a_nope');
    assert.deepEqual([unknown.code, /error not-found/.test(unknown.stderr)], [1, true]);
  });

  await t.test('a token that may only look sees what is kept, and not what it carries', async () => {
    const id = (await run('events', 'publish', 'order.lost', '--data', '{"card":"4111"}')).stdout.trim();
    const token = (await run('tokens', 'create', '--name', 'watch', '--scope', 'read')).stdout.trim();
    const [, url] = /admin API: (http[^\s;]+)/.exec(server.output)!;
    const env = { ...server.env, FULCRUM_URL: url!.replace('localhost', '127.0.0.1'), FULCRUM_TOKEN: token };
    const look = (...args: string[]): Promise<Finished> => fulcrum(env, ['events', ...args, '--app', 'test']);
    const list = await look('ls', '--json');
    assert.ok(list.stdout.includes(id) && !list.stdout.includes('4111'), list.stdout + list.stderr);
    const refused = await look('show', id, '--payload');
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(
      refused.stderr,
      /error forbidden: This needs a token of scope 'admin', and this one's is 'read'/,
    );
    const out = join(server.env.XDG_RUNTIME_DIR!, 'payload');
    assert.equal((await look('show', id, '--out', out)).code, 1);
    await assert.rejects(readFile(out), { code: 'ENOENT' });
    assert.equal((await run('events', 'show', id, '--out', out)).code, 0, 'its owner may');
    assert.equal(await readFile(out, 'utf8'), '{"card":"4111"}');
  });
});
