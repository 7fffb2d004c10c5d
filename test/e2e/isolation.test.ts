/** What components of a running server can reach, by the real command, as root and as an ordinary user. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { ComponentStatus } from '../../src/model/status.ts';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import { FRAME, PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../src/runtime/wire/frames.ts';
import { FrameWriter } from '../../src/runtime/wire/frame-writer.ts';
import { appFolder, config, type AppFolder } from './support/app-folder.ts';
import { DevProcess, fulcrum, isolatedEnv, type User } from './support/fulcrum-process.ts';

const machine = await probeMachine();
const isRoot = process.getuid?.() === 0;
const asRoot =
  machine.platform === 'linux' && machine.ffi && machine.capabilities.administrate
    ? false
    : 'only root can have these sandboxes';
const NOBODY: User = { uid: 65_534, gid: 65_534 };

/** Tries what it is asked to, and says what came of it: `done`, a value, or the code of the refusal. */
const ATTEMPTS = `
  import fs from 'node:fs';
  import net from 'node:net';
  const tries = {
    uid: () => process.getuid(),
    env: () => Object.keys(process.env).sort(),
    read: (path) => (fs.readFileSync(path), 'done'),
    text: (path) => fs.readFileSync(path, 'utf8'),
    list: (path) => fs.readdirSync(path),
    write: (path) => (fs.writeFileSync(path, 'x'), 'done'),
    append: (path) => (fs.appendFileSync(path, 'x'), fs.readFileSync(path, 'utf8')),
    setuid: (path) => (fs.writeFileSync(path, ''), fs.chmodSync(path, 0o6755), 'done'),
    kill: (pid) => (process.kill(Number(pid), 0), 'done'),
    temporary: () => (fs.writeFileSync(process.env.TMPDIR + '/mine', 'x'), 'done'),
    connect: (where) => new Promise((resolve) => {
      const socket = net.connect(where.includes('/') ? { path: where } : { port: Number(where), host: '127.0.0.1' });
      socket.on('connect', () => { socket.destroy(); resolve('done'); });
      socket.on('error', (error) => resolve(error.code));
    }),
    say: (text) => new Promise((resolve) => {
      const [path, hex] = text.split('|');
      const heard = [];
      const socket = net.connect(path);
      socket.on('connect', () => socket.write(Buffer.from(hex, 'hex')));
      socket.on('data', (bytes) => heard.push(bytes));
      socket.on('error', (error) => resolve(error.code));
      socket.on('close', () => resolve('closed: ' + Buffer.concat(heard).toString('latin1')));
    }),
    parent: () => process.ppid,
    status: async (url) => (await fetch(url)).status,
  };
  export async function attempt(url) {
    const { searchParams } = new URL(url, 'http://localhost');
    try {
      return await tries[searchParams.get('do')](searchParams.get('with'));
    } catch (error) {
      return error.code ?? error.cause?.code ?? String(error);
    }
  }`;

const FILES = {
  'attempts.mjs': ATTEMPTS,
  'module.ts': `
    import { attempt } from './attempts.mjs';
    export default { async fetch(request: Request) { return Response.json(await attempt(request.url)); } };`,
  'program.mjs': `
    import http from 'node:http';
    import { attempt } from './attempts.mjs';
    http.createServer(async (request, response) => {
      response.end(JSON.stringify(await attempt(request.url)));
    }).listen(process.env.PORT, '127.0.0.1');`,
  '.env': 'KEY=from-dot-env\n',
  'data/kept': 'kept',
  'others/kept': 'kept',
};
const SETTINGS = "memory: '256MB', timeout: '20s', keepAlive: '30s'";
const CONFIG = config(`{
  fn: { entry: './module.ts', routes: ['/fn'], storage: ['./data'], env: { KEY: secret('KEY') }, ${SETTINGS} },
  svc: { entry: './module.ts', routes: ['/svc'], mode: 'service', storage: ['./data'], env: { KEY: secret('KEY') }, ${SETTINGS} },
  cmd: { command: 'node program.mjs', routes: ['/cmd'], mode: 'service', storage: ['./data'], env: { KEY: secret('KEY') }, ${SETTINGS} },
  probe: { entry: './module.ts', routes: ['/probe'], memory: '256MB', timeout: '20s', keepAlive: '0s' },
  alone: { entry: './module.ts', routes: ['/alone'], network: 'none', ${SETTINGS} },
  alonesvc: { entry: './module.ts', routes: ['/alonesvc'], network: 'none', mode: 'service', ${SETTINGS} },
  other: { entry: './module.ts', routes: ['/other'], storage: ['./others'], mode: 'service', ${SETTINGS} },
}`);

class Scene {
  readonly folder: AppFolder;
  readonly env: NodeJS.ProcessEnv;
  readonly dev: DevProcess;
  readonly components: ReadonlyMap<string, ComponentStatus>;

  static async open(t: TestContext, user: User | null = null, within?: string): Promise<Scene> {
    const folder = await appFolder(t, { ...FILES, 'fulcrum.config.ts': CONFIG }, within);
    const env = isolatedEnv(user);
    if (user !== null) giveTo(folder.path, user);
    const dev = await DevProcess.start(t, env, folder.path, [], user);
    // Until root zygotes are there, functions run as programs, which have no process tree of their own.
    while (user === null && isRoot) {
      const parent = await fetch(`${dev.url}/probe?do=parent`);
      if ((await parent.json()) === 1) break;
    }
    // Each once, so that all have a process.
    for (const name of ['fn', 'svc', 'cmd', 'other']) {
      const answer = await fetch(`${dev.url}/${name}?do=uid`);
      assert.equal(answer.status, 200, `${name}: ${await answer.text()}\n${dev.output}`);
    }
    const { stdout } = await fulcrum(env, ['ps', '--json'], folder.path, user);
    const { components } = JSON.parse(stdout) as { components: ComponentStatus[] };
    return new Scene(folder, env, dev, new Map(components.map((each) => [each.name, each])));
  }

  private constructor(
    folder: AppFolder,
    env: NodeJS.ProcessEnv,
    dev: DevProcess,
    components: ReadonlyMap<string, ComponentStatus>,
  ) {
    this.folder = folder;
    this.env = env;
    this.dev = dev;
    this.components = components;
  }

  async try(component: string, what: string, argument = ''): Promise<unknown> {
    const query = new URLSearchParams({ do: what, with: argument });
    const answer = await fetch(`${this.dev.url}/${component}?${query.toString()}`);
    assert.equal(answer.status, 200);
    return await answer.json();
  }

  pidOf(component: string): number {
    return this.components.get(component)!.instances[0]!.pid;
  }

  /** A socket of the server's, by its ending. */
  socket(ending: 'sock' | 'wire'): string {
    return globSync(join(this.env['XDG_RUNTIME_DIR']!, 'fulcrum', `*.${ending}`))[0]!;
  }

  get adminUrl(): string {
    return /http:\/\/(?:localhost|127\.0\.0\.1):\d+(?=\/\?token=)/.exec(this.dev.output)![0];
  }
}

describe('as root', { skip: asRoot }, () => {
  test('each component has a user of its own, and nothing of the server or of others', async (t) => {
    const scene = await Scene.open(t);
    const secret = join(mkdtempSync('/root/fulcrum-e2e-'), 'secret');
    t.after(() => rmSync(join(secret, '..'), { recursive: true }));
    writeFileSync(secret, 'x', { mode: 0o644 });
    const { path } = scene.folder;
    const uids = new Set<unknown>();
    for (const name of ['fn', 'svc', 'cmd']) {
      const uid = await scene.try(name, 'uid');
      assert.equal(uid, scene.components.get(name)!.sandbox!.uid, name);
      assert.equal(statSync(`/proc/${scene.pidOf(name)}`).uid === 0, false, name);
      uids.add(uid);
      // What leaves no traces belongs to root in /proc. A command's program is anybody's, and would have to ask itself.
      assert.equal(statSync(`/proc/${scene.pidOf(name)}/environ`).uid === 0, name !== 'cmd', name);
      const tried = async (what: string, argument: string, expected: unknown): Promise<void> =>
        assert.deepEqual(await scene.try(name, what, argument), expected, `${name}: ${what} ${argument}`);
      await tried('read', secret, 'ENOENT');
      // At most what leads to something that it may see, such as Node's cache.
      assert.ok(!String(await scene.try(name, 'list', '/root')).includes('fulcrum-e2e'), name);
      await tried('read', join(path, '.fulcrum', 'fulcrum.db'), 'ENOENT');
      // There is a file, with nothing in it.
      await tried('append', join(path, '.env'), 'EROFS');
      await tried('read', '/etc/shadow', 'ENOENT');
      await tried('write', join(path, 'module.ts'), 'EROFS');
      await tried('write', '/usr/new', 'EROFS');
      await tried('list', join(path, 'others'), []);
      for (const other of [scene.pidOf('other'), scene.dev.pid]) {
        await tried('read', `/proc/${other}/environ`, 'ENOENT');
        await tried('read', `/proc/${other}/mem`, 'ENOENT');
        await tried('kill', String(other), name === 'fn' ? 'ESRCH' : 'EPERM');
      }
      await tried('connect', scene.socket('sock'), 'ENOENT');
      await tried('status', scene.adminUrl, 401);
      await tried('temporary', '', 'done');
    }
    assert.equal(uids.size, 3);
    assert.ok(!uids.has(0));
  });

  test("a secret's file cannot be read, and its value is there by name", async (t) => {
    // Not in /tmp: what lies below its own temporary folder, a program may read, but for what is mounted over it.
    const home = mkdtempSync('/root/fulcrum-e2e-');
    t.after(() => rmSync(home, { recursive: true }));
    const scene = await Scene.open(t, null, home);
    const dotEnv = join(scene.folder.path, '.env');
    for (const name of ['fn', 'svc', 'cmd']) {
      assert.equal(await scene.try(name, 'text', dotEnv), '', name);
      const env = (await scene.try(name, 'env')) as string[];
      assert.ok(env.includes('KEY'));
      assert.deepEqual(
        env.filter((each) => !KNOWN.has(each)),
        [],
      );
    }
    // As editors save: by a new file under the old name. The mount that hid the old one goes with it.
    for (const text of ['KEY=again\n', 'KEY=and-again\n']) {
      writeFileSync(`${dotEnv}.new`, text);
      renameSync(`${dotEnv}.new`, dotEnv);
      for (const name of ['fn', 'svc', 'cmd']) {
        const seen = await scene.try(name, 'text', dotEnv);
        assert.ok(seen === '' || seen === 'EACCES', `${name}: ${String(seen)}`);
      }
    }
  });

  test('storage is writable, shared by whoever names it, and belongs outside to who it did', async (t) => {
    const scene = await Scene.open(t);
    const kept = join(scene.folder.path, 'data', 'kept');
    const answers: unknown[] = [];
    for (const name of ['fn', 'svc', 'cmd']) answers.push(await scene.try(name, 'append', kept));
    assert.deepEqual(answers, ['keptx', 'keptxx', 'keptxxx']);
    const made = join(scene.folder.path, 'data', 'made');
    assert.equal(await scene.try('fn', 'write', made), 'done');
    assert.deepEqual([statSync(kept).uid, statSync(made).uid], [0, 0]);
    assert.deepEqual(await scene.try('other', 'read', kept), 'ENOENT');
    for (const name of ['fn', 'svc', 'cmd']) {
      const program = join(scene.folder.path, 'data', `program-${name}`);
      assert.equal(await scene.try(name, 'setuid', program), 'EPERM', name);
      const { uid, mode } = statSync(program);
      assert.deepEqual([uid, mode & 0o7000], [0, 0], 'root’s, and no way to it');
    }
  });

  test('the socket of instances takes nobody without a token', async (t) => {
    const scene = await Scene.open(t);
    const hello = helloOf({ instance: scene.components.get('svc')!.instances[0]!.id });
    const wire = scene.socket('wire');
    // A function's instance has its connection, and needs no way to another.
    assert.equal(await scene.try('fn', 'say', `${wire}|${hello}`), 'ENOENT');
    assert.equal(await scene.try('cmd', 'say', `${wire}|${hello}`), 'ENOENT');
    assert.equal(await scene.try('svc', 'say', `${wire}|${hello}`), 'closed: ');
    await scene.dev.prints(/a connection to the instances’ socket was refused/);
  });

  test("network: 'none' reaches nothing, and is reached", async (t) => {
    const scene = await Scene.open(t);
    const port = new URL(scene.dev.url).port;
    for (const name of ['alone', 'alonesvc']) {
      assert.equal(await scene.try(name, 'connect', port), 'ECONNREFUSED', 'its loopback is its own');
      assert.equal(await scene.try(name, 'status', 'http://192.0.2.1/'), 'ENETUNREACH');
    }
    assert.equal(await scene.try('svc', 'connect', port), 'done');
  });

  test('control groups are made, and gone with the server', async (t) => {
    if (Object.keys(machine.cgroups.folders).length === 0) return t.skip('no control groups here');
    const scene = await Scene.open(t);
    const folders = Object.values(machine.cgroups.folders).map(({ path }) => path);
    const groups = (): string[] =>
      folders.flatMap((folder) => globSync(join(folder, `fulcrum-${scene.dev.pid}-*`)));
    assert.ok(groups().length >= 6, groups().join());
    await scene.dev.stop();
    assert.deepEqual(groups(), []);
  });

  test('what a killed server left is removed by the next one', async (t) => {
    if (Object.keys(machine.cgroups.folders).length === 0) return t.skip('no control groups here');
    const folder = Object.values(machine.cgroups.folders)[0]!.path;
    // Of a process that cannot be: ids end at 4,194,304.
    const left = join(folder, `fulcrum-${5_000_000 + randomBytes(2).readUInt16LE(0)}-1-a`);
    mkdirSync(left);
    const strangers = join(folder, `fulcrum-e2e-${randomBytes(6).toString('hex')}`);
    mkdirSync(strangers);
    t.after(() => rmdirSync(strangers));
    await Scene.open(t);
    assert.deepEqual(globSync(left), []);
    assert.deepEqual(globSync(strangers), [strangers]);
  });

  test('a project that only its owner can read runs all the same', async (t) => {
    const home = mkdtempSync('/root/fulcrum-e2e-');
    t.after(() => rmSync(home, { recursive: true }));
    const folder = await appFolder(t, { ...FILES, 'fulcrum.config.ts': CONFIG }, home);
    for (const file of globSync('**/*', { cwd: folder.path, exclude: ['.git'] })) {
      const path = join(folder.path, file);
      chmodSync(path, statSync(path).isDirectory() ? 0o700 : 0o600);
    }
    const dev = await DevProcess.start(t, isolatedEnv(), folder.path);
    for (const name of ['fn', 'svc', 'cmd']) {
      const answer = await fetch(`${dev.url}/${name}?do=uid`);
      assert.equal(answer.status, 200, dev.output);
      assert.ok(((await answer.json()) as number) > 0);
    }
  });

  test("isolation: 'required' starts where nothing is missing", async (t) => {
    const missing = Object.keys(machine.cgroups.missing);
    if (missing.length > 0) return t.skip(`this machine has no control groups for ${missing.join(', ')}`);
    const folder = await appFolder(t, { ...FILES, 'fulcrum.config.ts': REQUIRED });
    const dev = await DevProcess.start(t, isolatedEnv(), folder.path);
    for (const name of ['fn', 'cmd']) {
      assert.equal((await fetch(`${dev.url}/${name}?do=uid`)).status, 200, dev.output);
    }
  });
});

const REQUIRED = config(`{
  fn: { entry: './module.ts', routes: ['/fn'], isolation: 'required', ${SETTINGS} },
  cmd: { command: 'node program.mjs', routes: ['/cmd'], isolation: 'required', mode: 'service', ${SETTINGS} },
}`);

/** What every component's environment may have beside what its config names. */
const KNOWN = new Set([
  ...['KEY', 'NODE_ENV', 'FULCRUM_ENVIRONMENT', 'PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ'],
  // A command's port, and what its shell adds.
  ...['PORT', 'HOST', 'PWD', 'SHLVL', '_', 'OLDPWD'],
]);

describe('as an ordinary user', { skip: skipOrdinary() }, () => {
  const user = isRoot ? NOBODY : null;

  test('the same app runs, with what of it there is', async (t) => {
    const scene = await Scene.open(t, user);
    const { path } = scene.folder;
    const own = user?.uid ?? process.getuid!();
    for (const name of ['fn', 'svc', 'cmd']) {
      const tried = async (what: string, argument: string, expected: unknown): Promise<void> => {
        const outcome = await scene.try(name, what, argument);
        const any: unknown[] = Array.isArray(expected) ? expected : [expected];
        assert.ok(any.includes(outcome), `${name}: ${what} ${argument}: ${String(outcome)}`);
      };
      const refused = ['ENOENT', 'EACCES', 'EROFS', 'EPERM'];
      await tried('read', join(path, '.fulcrum', 'fulcrum.db'), refused);
      await tried('append', join(path, '.env'), refused);
      await tried('write', join(path, 'module.ts'), refused);
      await tried('read', join(path, 'others', 'kept'), refused);
      await tried('append', join(path, 'data', 'kept'), ['keptx', 'keptxx', 'keptxxx']);
      for (const other of [scene.pidOf('other'), scene.dev.pid]) {
        await tried('read', `/proc/${other}/environ`, refused);
        await tried('kill', String(other), ['ESRCH', 'EPERM']);
      }
      await tried('status', scene.adminUrl, 401);
      await tried('temporary', '', 'done');
      const status = scene.components.get(name)!.sandbox!;
      assert.equal(status.uid, null);
      assert.equal(await scene.try(name, 'uid'), name === 'fn' && inNamespace(status) ? 1_000 : own);
    }
    assert.equal(await scene.try('alone', 'connect', new URL(scene.dev.url).port), 'ECONNREFUSED');
    assert.ok(
      ['EAFNOSUPPORT', 'EACCES'].includes(
        String(await scene.try('alonesvc', 'connect', new URL(scene.dev.url).port)),
      ),
    );
  });

  test("isolation: 'required' is refused, with what is missing and why", async (t) => {
    const folder = await appFolder(t, { ...FILES, 'fulcrum.config.ts': REQUIRED });
    if (user !== null) giveTo(folder.path, user);
    const env = isolatedEnv(user);
    const { code, stdout, stderr } = await fulcrum(
      env,
      ['dev', folder.path, '--port', '0', '--admin-port', '0'],
      folder.path,
      user,
    );
    assert.equal(code, 1, stdout);
    const said = stdout + stderr;
    assert.match(said, /"cmd" asks for isolation: 'required', and this machine cannot give it:/);
    assert.match(said, /- user \(a user id of its own, without capabilities\): only root can give it one/);
    assert.match(said, /set isolation: 'best-effort'/);
  });
});

function inNamespace(status: NonNullable<ComponentStatus['sandbox']>): boolean {
  return status.layers.some(({ name, state }) => name === 'user' && state === 'unasked');
}

function skipOrdinary(): string | false {
  if (machine.platform !== 'linux' || !machine.ffi) return 'there are no sandboxes on this machine';
  if (!isRoot) return false;
  const tried = spawnSync(process.execPath, ['-e', ''], { ...NOBODY, cwd: import.meta.dirname, env: {} });
  return tried.status === 0 ? false : 'the checkout, or Node, cannot be read by another user';
}

function giveTo(folder: string, { uid, gid }: User): void {
  for (const name of ['', ...globSync('**/*', { cwd: folder }), '.env'])
    chownSync(join(folder, name), uid, gid);
}

/** A greeting with a token that nobody has given, in hex. */
function helloOf({ instance }: { instance: string }): string {
  const chunks: Uint8Array[] = [];
  const writer = new FrameWriter({
    cork: () => undefined,
    uncork: () => undefined,
    write: (bytes, taken) => {
      chunks.push(Uint8Array.from(bytes));
      taken();
    },
  });
  const token = randomBytes(32).toString('base64url');
  writer.json(FRAME.HELLO, 0, 0, { major: PROTOCOL_MAJOR, minor: PROTOCOL_MINOR, instance, token });
  writer.flush();
  return Buffer.concat(chunks).toString('hex');
}
