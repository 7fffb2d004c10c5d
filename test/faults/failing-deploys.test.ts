import assert from 'node:assert/strict';
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { appFolder, type AppFolder } from '../e2e/support/app-folder.ts';
import { ask } from '../e2e/support/admin-api.ts';
import { isolatedEnv, type Finished } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';

const GOOD = {
  'fulcrum.config.ts': `
    import { defineApp, secret } from 'fulcrum';
    export default defineApp({
      name: 'sound',
      components: {
        web: { entry: './web.ts', routes: ['/*'], mode: 'service', memory: '200MB', env: { WORD: secret('WORD') } },
        sums: { entry: './sums.ts', mode: 'function' },
        legacy: { command: 'node legacy.mjs', routes: ['/legacy/*'], mode: 'service', health: '/legacy/health', storage: ['./kept'] },
      },
    });`,
  'web.ts': `export default { fetch: () => new Response('sound') };`,
  'sums.ts': `export const add = (a: number, b: number): number => a + b;`,
  'legacy.mjs': `
    import { createServer } from 'node:http';
    import { appendFileSync, readFileSync } from 'node:fs';
    createServer((request, response) => {
      if (request.url === '/legacy/count') appendFileSync('kept/count', 'x');
      response.end(request.url === '/legacy/count' ? String(readFileSync('kept/count').length) : 'well');
    }).listen(Number(process.env.PORT), '127.0.0.1');`,
};
const SECRET = 'swordfish-4711';

interface Failing {
  readonly what: string;
  readonly file: keyof typeof GOOD;
  readonly text: string;
  readonly component: string;
  readonly says: RegExp;
}

const FAILING: readonly Failing[] = [
  {
    what: 'a service throws on import',
    file: 'web.ts',
    text: `console.log('the word is ' + process.env.WORD); throw new Error('no luck today');`,
    component: 'web',
    says: /no luck today/,
  },
  {
    what: 'a function throws on import',
    file: 'sums.ts',
    text: `throw new RangeError('no sums today');`,
    component: 'sums',
    says: /RangeError: no sums today/,
  },
  {
    what: 'a service holds more memory than it may',
    file: 'web.ts',
    text: `const held = [...Array(40)].map((_, i) => Buffer.alloc(10e6, i + 1)); export default { fetch: () => new Response(String(held.length)) };`,
    component: 'web',
    says: /of memory/,
  },
  {
    what: 'a program ends at once',
    file: 'legacy.mjs',
    text: `console.error('cannot find my glasses'); process.exit(3);`,
    component: 'legacy',
    says: /cannot find my glasses|exit code 3|ended/,
  },
];

/** Asks what serves over and over, one request after the other. */
class Asking {
  readonly answers = new Map<string, number>();
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(url: string) {
    this.#running = this.#ask(url);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #ask(url: string): Promise<void> {
    while (!this.#stopped) {
      const answer = await fetch(url).then(
        async (found) => `${found.status} ${await found.text()}`,
        (error: Error) => error.message,
      );
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
    }
  }
}

/** Each takes the 30 s that a program has. */
const SLOW: readonly Failing[] = [
  {
    what: 'a program never listens',
    file: 'legacy.mjs',
    text: `console.log('thinking'); setInterval(() => {}, 1000);`,
    component: 'legacy',
    says: /30s/,
  },
  {
    what: 'a program fails its health check',
    file: 'legacy.mjs',
    text: `
      import { createServer } from 'node:http';
      createServer((_, response) => response.writeHead(500).end('feeling ill')).listen(Number(process.env.PORT), '127.0.0.1');`,
    component: 'legacy',
    says: /answered 500: feeling ill/,
  },
];

describe('a deploy that fails changes nothing', () => {
  let server: ServerProcess;
  let app: AppFolder;
  const ends: (() => unknown)[] = [];
  const scope = { after: (work: () => unknown) => ends.push(work) } as unknown as TestContext;
  let data: string;

  const deploy = (...args: readonly string[]): Promise<Finished> =>
    server.run('deploy', app.path, '--no-typecheck', ...args);

  before(async () => {
    const env = isolatedEnv();
    data = dataFolder(scope);
    app = await appFolder(scope, GOOD);
    server = await ServerProcess.start(scope, { env, data });
    const refused = await deploy();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /secret-missing[^]*WORD/);
    // Before anything is kept: neither a release nor an app.
    assert.doesNotMatch(refused.stdout + refused.stderr, /keep|unpack/);
    assert.equal((await ask(env, 'GET', '/apps/sound')).status, 404);
    writeFileSync(join(app.path, 'word.txt'), SECRET);
    const set = await ask(env, 'PUT', '/apps/sound/secrets/WORD', { value: SECRET });
    assert.ok(set.status < 300, JSON.stringify(set.body));
    rmSync(join(app.path, 'word.txt'));
    const done = await deploy();
    assert.equal(done.code, 0, done.stdout + done.stderr);
  });

  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  for (const failing of [...FAILING, ...(process.env['FULCRUM_FULL'] === '1' ? SLOW : SLOW.slice(1))]) {
    test(failing.what, async () => {
      await app.write(failing.file, failing.text);
      const serving = (await ask(server.env, 'GET', '/apps/sound')).body as { app: { serving: number } };
      const asking = [new Asking(server.url), new Asking(`${server.url}/legacy/x`)] as const;
      const failed = await deploy();
      for (const each of asking) await each.stop();
      assert.deepEqual([...asking[0].answers.keys()], ['200 sound']);
      assert.deepEqual([...asking[1].answers.keys()], ['200 well']);
      await app.write(failing.file, GOOD[failing.file]);
      assert.equal(failed.code, 1, failed.stdout);
      const told = failed.stdout + failed.stderr;
      assert.match(told, failing.says);
      assert.ok(!told.includes(SECRET), told);
      const now = (await ask(server.env, 'GET', '/apps/sound')).body as typeof serving;
      assert.equal(now.app.serving, serving.app.serving);
      const [last] = (await ask(server.env, 'GET', '/apps/sound/releases')).body as {
        state: string;
        failure: { component: string; message: string; log: string[] };
      }[];
      assert.equal(last!.state, 'failed');
      assert.equal(last!.failure.component, failing.component);
      assert.ok(!JSON.stringify(last).includes(SECRET));
    });
  }

  test('of two deploys at once the second is refused, and told who is at it', async () => {
    await app.write(
      'web.ts',
      `await new Promise((r) => setTimeout(r, 1500)); export default { fetch: () => new Response('sound') };`,
    );
    const first = deploy();
    // The first is at it once a release is kept that is neither sound nor failed.
    const isAtIt = async (): Promise<boolean> => {
      const releases = (await ask(server.env, 'GET', '/apps/sound/releases')).body as { state: string }[];
      return releases.some(({ state }) => state === 'uploaded');
    };
    while (!(await isAtIt()));
    const second = await deploy();
    assert.equal(second.code, 1);
    assert.match(second.stderr, /conflict: socket deploys sound since \d{4}-/);
    const done = await first;
    assert.equal(done.code, 0, done.stderr);
    await app.write('web.ts', GOOD['web.ts']);
  });

  test('a first deploy that fails leaves no tree behind, and keeps nobody out of its host', async (t) => {
    const named = (name: string, web: string): Promise<AppFolder> =>
      appFolder(t, {
        'fulcrum.config.ts': `export default { name: '${name}', components: { web: { entry: './web.ts', routes: ['/*'], mode: 'service' } } };`,
        'web.ts': web,
      });
    const place = ['--no-typecheck', '--host', 'new.example.com'];
    const broken = await named('broken', `throw new Error('never');`);
    for (let i = 0; i < 2; i++) {
      const failed = await server.run('deploy', broken.path, ...place);
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, /never/);
      assert.deepEqual(readdirSync(join(data, 'apps/broken/releases')), []);
    }
    const other = await named('other', GOOD['web.ts']);
    const done = await server.run('deploy', other.path, ...place);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    await broken.write('web.ts', GOOD['web.ts']);
    const late = await server.run('deploy', broken.path, ...place);
    assert.match(late.stderr, /conflict[^]*other/);
  });

  test('a release may not store inside what another stores, where a link could lie', async () => {
    const inner = GOOD['fulcrum.config.ts'].replace("['./kept']", "['./kept/inner']");
    await app.write('fulcrum.config.ts', inner);
    const refused = await deploy();
    await app.write('fulcrum.config.ts', GOOD['fulcrum.config.ts']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /manifest-invalid[^]*store in 'kept\/inner'[^]*in 'kept'/);
    assert.equal(await (await fetch(`${server.url}/legacy/x`)).text(), 'well');
  });

  test('files that are gone from the cache, or damaged there, are fetched again', async () => {
    const files = readdirSync(join(data, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    assert.ok(files.length > 2);
    for (const [i, { parentPath, name }] of files.entries()) {
      const path = join(parentPath, name);
      chmodSync(path, 0o600);
      if (i % 2 === 0) rmSync(path);
      else writeFileSync(path, 'something else');
    }
    const done = await deploy();
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.equal(await (await fetch(server.url)).text(), 'sound');
  });

  test('what a component stores stays across releases and rollbacks', async () => {
    const count = async (): Promise<number> =>
      Number(await (await fetch(`${server.url}/legacy/count`)).text());
    const first = await count();
    assert.equal((await deploy()).code, 0);
    assert.equal(await count(), first + 1);
    const back = await server.run('rollback', '--app', 'sound');
    assert.equal(back.code, 0, back.stderr);
    assert.equal(await count(), first + 2);
  });
});
