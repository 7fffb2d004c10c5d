import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { suite, test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { listServers } from '../../src/control/registry.ts';
import { KeyFile } from '../../src/secrets/key-file.ts';
import { Vault } from '../../src/secrets/vault.ts';
import { openStore } from '../../src/store/open-store.ts';
import { appFolder, config } from './support/app-folder.ts';
import { isolatedEnv } from './support/fulcrum-process.ts';
import { LeakSearch, secretMarker } from './support/secret-leaks.ts';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'bin/fulcrum.mjs');

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fulcrum-secrets-'));
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** A `fulcrum serve`, and the commands of its user. Everything that anybody printed is kept. */
class Server {
  readonly env: NodeJS.ProcessEnv;
  readonly data: string;
  printed = '';
  readonly #child: ChildProcess;

  static async start(t: TestContext, data: string): Promise<Server> {
    const server = new Server(isolatedEnv(), data);
    t.after(() => server.end());
    const serves = Promise.withResolvers<void>();
    for (const stream of [server.#child.stdout!, server.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        server.printed += text;
        if (/pid \d+/.test(server.printed)) serves.resolve();
      });
    }
    server.#child.once('exit', () => serves.reject(new Error(`it ended: ${server.printed}`)));
    await serves.promise;
    return server;
  }

  private constructor(env: NodeJS.ProcessEnv, data: string) {
    this.env = env;
    this.data = data;
    const args = ['serve', '--data', data, '--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
    this.#child = spawn(process.execPath, [BIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  get url(): string {
    return /Fulcrum serves (http:\S+)/.exec(this.printed)![1]!.replace('localhost', '127.0.0.1');
  }

  async run(args: string, input = ''): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, [BIN, ...args.split(' ')], { env: this.env, stdio: 'pipe' });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    this.printed += stdout + stderr;
    return { code, output: stdout + stderr };
  }

  /** An answer of the admin API, whatever its status. */
  async get(path: string): Promise<string> {
    const [entry] = await listServers(this.env);
    const sent = request({ socketPath: entry!.socketPath, path, agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
    return textOf(response);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

suite('secrets of a server', () => {
  test('reach the component that names them and nothing else: no file, log, answer or output', async (t) => {
    const data = await folder(t);
    const server = await Server.start(t, data);
    const [first, second] = [secretMarker(), secretMarker()];
    const tell = `
      import { createHash } from 'node:crypto';
      import { binding, use } from 'fulcrum';
      const hash = (text) => createHash('sha256').update(text ?? '').digest('hex');
      /** Takes the secret for a name, of what is beside it in its process and of what is not. */
      const mistaken = async (key) => {
        const calls = [use(key).look(), binding(key).fetch('/'), use('other')[key](), use('right')[key]()];
        return new Response((await Promise.allSettled(calls)).map(({ status }) => status).join(' '));
      };
      export default { fetch: (request, env) => {
        console.log('asked for', Object.keys(env).filter((name) => name.includes('KEY')).join(' '));
        const { pathname } = new URL(request.url);
        if (pathname.endsWith('/throw')) throw new Error('no luck');
        if (pathname.endsWith('/mistaken')) return mistaken(env.API_KEY);
        return new Response([env.API_KEY, process.env.API_KEY].map(hash).join(' '));
      } };`;
    const app = await appFolder(t, {
      'fulcrum.config.ts': config(
        `{
          named: { entry: './named.ts', routes: ['/named/*'], env: { API_KEY: secret('API_KEY') } },
          service: { entry: './named.ts', routes: ['/service/*'], mode: 'service', env: { API_KEY: secret('API_KEY') } },
          other: { entry: './named.ts', routes: ['/other/*'] },
          left: { entry: './named.ts', routes: ['/left/*'], env: { API_KEY: secret('API_KEY') } },
          right: { entry: './named.ts', routes: ['/right/*'] },
        }`,
        `groups: { core: ['left', 'right'] },`,
      ),
      'named.ts': tell,
    });
    const deploy = `deploy ${app.path} --no-typecheck`;
    const ask = async (path: string): Promise<string> => (await fetch(`${server.url}${path}`)).text();

    // It has to be set before the first deploy: without, that says which is missing.
    const missing = await server.run(deploy);
    assert.equal(missing.code, 1, missing.output);
    assert.match(missing.output, /secret-missing[\s\S]*API_KEY[\s\S]*fulcrum secrets set/);
    const set = await server.run('secrets set API_KEY --app test', `${first}\n`);
    assert.equal(set.code, 0, set.output);
    const deployed = await server.run(deploy);
    assert.equal(deployed.code, 0, deployed.output);
    for (const path of ['/named/', '/service/', '/left/'])
      assert.equal(await ask(path), `${hash(first)} ${hash(first)}`);
    assert.equal(await ask('/other/'), `${hash('')} ${hash('')}`);
    // A process has one environment; what a member is given is its own.
    assert.equal(await ask('/right/'), `${hash('')} ${hash(first)}`);
    for (const path of ['/named/throw', '/left/throw']) await ask(path);
    for (const path of ['/named/mistaken', '/left/mistaken'])
      assert.equal(await ask(path), 'rejected rejected rejected rejected');

    // A new value is used from the next release or reload on, and not before.
    assert.equal((await server.run('secrets set API_KEY --app test', second)).code, 0);
    assert.equal(await ask('/service/'), `${hash(first)} ${hash(first)}`);
    const applied = await server.run('secrets set API_KEY --apply --app test', second);
    assert.equal(applied.code, 0, applied.output);
    for (const path of ['/named/', '/service/', '/left/'])
      assert.equal(await ask(path), `${hash(second)} ${hash(second)}`);

    // A release that fails, and says all that it knows.
    await app.write(
      'named.ts',
      `console.error(process.env); console.log(JSON.stringify(process.env)); throw new Error('broken with ' + process.env.API_KEY);`,
    );
    const failed = await server.run(deploy);
    assert.equal(failed.code, 1, failed.output);
    assert.equal(await ask('/named/'), `${hash(second)} ${hash(second)}`);

    for (const line of [
      'events publish nobody.takes --app test --data {}',
      'events ls --app test --json',
      'secrets rotate',
      'secrets ls --app test',
      'audit',
      'audit --json',
      'releases --app test --json',
      'apps ls',
      'ps --app test',
      'ps --graph --app test',
      'logs --app test -n 1000',
    ]) {
      const ran = await server.run(line);
      assert.equal(ran.code, 0, `${line}: ${ran.output}`);
    }
    assert.equal((await stat(join(data, 'secrets.key'))).mode & 0o777, 0o600);
    assert.match(await server.get('/v1/audit'), /"secret\.set"/);

    const searches = [first, second].map((secret) => new LeakSearch(secret));
    for (const search of searches) {
      await search.api((path) => server.get(path));
      search.text('what the server and the commands printed', server.printed);
      await search.folder(data);
    }
    await server.end();
    for (const search of searches) {
      await search.folder(data);
      assert.deepEqual(search.found, []);
      assert.ok(search.lookedAt > 30, `only ${search.lookedAt} were looked at`);
    }
  });

  test('a rotation that is killed at any step is ended at the next start, on a real store', async (t) => {
    const steps = process.env['FULCRUM_FULL'] === '1' ? [0, 1, 2, 3, 4, 5] : [1, 3, 5];
    for (const step of steps) {
      const directory = await folder(t);
      const [path, keyPath] = [join(directory, 'fulcrum.db'), join(directory, 'key')];
      const open = async () => {
        const store = await openStore({ databaseUrl: null, path, clock: systemClock, logger: silentLogger });
        const holder = new KeyFile(keyPath);
        const vault = await Vault.open({
          store: store.secrets,
          holder,
          clock: systemClock,
          logger: silentLogger,
          mayMakeKey: true,
        });
        return { store, vault };
      };
      const names = Array.from({ length: 150 }, (_, i) => `S${i}`);
      const marker = secretMarker();
      const before = await open();
      for (const name of names) await before.vault.set('shop', name, `${marker} ${name}`);
      const oldKey = await readFile(keyPath, 'utf8');
      await before.store.close();

      const args = ['--conditions=fulcrum-source', '--disable-warning=ExperimentalWarning'];
      const main = join(import.meta.dirname, 'support/rotating-main.ts');
      const child = spawn(process.execPath, [...args, main, path, keyPath, String(step)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      assert.equal(said.toString(), 'here\n', `step ${step}`);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;

      const { store, vault } = await open();
      const values = await vault.values('shop', names);
      for (const name of names) assert.equal(values.get(name), `${marker} ${name}`, `step ${step}`);
      const keys = (await new KeyFile(keyPath).read())!;
      const ids = new Set((await store.secrets.all()).map(({ keyId }) => keyId));
      assert.deepEqual([...ids], [keys.current.id]);
      // Only a kill before the new key was written leaves the old one.
      assert.equal((await readFile(keyPath, 'utf8')) === oldKey, step === 0);
      await store.close();
    }
  });
});
