/** What an escape is tried from and at: an app's files, a server and what it listens on, for one user. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { randomText } from '../../../src/base/ids.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { FakeHost } from '../../../src/control/fixtures/fake-host.ts';
import { FakePort } from '../../../src/control/fixtures/fake-port.ts';
import { ControlServer } from '../../../src/control/server.ts';
import { createCgroups, removeCgroups } from '../../../src/runtime/sandbox/cgroup.ts';
import { giveStorage } from '../../../src/runtime/sandbox/storage.ts';
import { planSandbox, type SandboxPlan, type SandboxRequest } from '../../../src/runtime/sandbox/plan.ts';
import { WireListener } from '../../../src/runtime/wire/listener.ts';
import { mask, type World } from '../hostile/attempt.ts';
import type { Machine } from '../../../src/runtime/sandbox/machine.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
const OWN_UID = 1_900_000_001;
const OTHER_UID = 1_900_000_002;
const MB = 1024 * 1024;
const TMP_BYTES = 8 * MB;
const PROCESSES = 48;

/** Who starts the server: root, or an ordinary user. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Why the ordinary user `user` cannot be played here; null where one can. */
export function cannotPlay(user: User): string | null {
  const result = spawnSync(process.execPath, ['-e', ''], { ...user, cwd: import.meta.dirname, env: {} });
  return result.status === 0 ? null : 'the checkout, or Node, cannot be read by another user';
}

export interface Line {
  readonly name?: string;
  readonly outcome?: string;
  readonly event?: string;
  readonly error?: string;
  readonly [key: string]: unknown;
}

export class Stage {
  readonly user: User;
  readonly folder: string;
  readonly #machine: Machine;
  readonly #suffix = randomText(8);
  readonly #secret = `\u0007${randomText(40)}`;
  readonly #ends: (() => unknown)[] = [];
  #serverPid = 0;
  #adminPort = 0;

  constructor(machine: Machine, user: User) {
    this.#machine = machine;
    this.user = user;
    this.folder = mkdtempSync(join(tmpdir(), 'fulcrum-escape-'));
    this.#ends.push(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  static async open(machine: Machine, user: User): Promise<Stage> {
    const stage = new Stage(machine, user);
    stage.#layFiles();
    if (machine.capabilities.changeUser) await giveStorage([stage.path('data')], OWN_UID);
    await stage.#startServer();
    return stage;
  }

  async close(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  plan(part: Partial<SandboxRequest> & Pick<SandboxRequest, 'kind'>): SandboxPlan {
    return planSandbox(this.#machine, {
      component: 'mallory',
      network: 'full',
      uid: OWN_UID,
      readable: [
        dirname(process.execPath),
        join(REPOSITORY, 'package.json'),
        join(REPOSITORY, 'src'),
        join(REPOSITORY, 'node_modules'),
        join(REPOSITORY, 'test', 'escape'),
        this.path('app', 'mallory'),
      ],
      writable: [this.path('data')],
      sockets: [this.path('wire', 's')],
      hidden: [this.path('app', 'mallory', '.env')],
      mountPoint: this.path('root'),
      tmpFolder: this.path('tmp'),
      tmpBytes: TMP_BYTES,
      openFiles: 512,
      processes: PROCESSES,
      memoryBytes: 256 * MB,
      cpuWeight: 100,
      cgroupName: `fulcrum-escape-${this.#suffix}-mallory`,
      ...part,
    });
  }

  /** Another component, which has no part in any of it. */
  otherPlan(): SandboxPlan {
    const plan = this.plan({
      kind: 'function',
      component: 'bob',
      uid: OTHER_UID,
      cgroupName: `fulcrum-escape-${this.#suffix}-bob`,
    });
    return { ...plan, tree: { ...plan.tree, readable: [this.path('app', 'bob')] } };
  }

  world(plan: SandboxPlan, part: Partial<World> = {}): World {
    return {
      kind: plan.kind,
      network: 'full',
      serverPid: this.#serverPid,
      otherPid: 0,
      siblingPid: 0,
      wires: 0,
      ownBundle: this.path('app', 'mallory', 'bundle.mjs'),
      otherBundle: this.path('app', 'bob', 'bundle.mjs'),
      hiddenFile: this.path('app', 'mallory', '.env'),
      outsideFile: this.path('outside'),
      runtimeFile: join(REPOSITORY, 'src', 'runtime', 'child', 'main.ts'),
      ownFolder: plan.tree.tmpFolder,
      storage: this.path('data'),
      siblingFolder: this.path('sibling'),
      wireSocket: this.path('wire', 's'),
      controlSocket: this.path('control', 's'),
      adminPort: this.#adminPort,
      abstractName: `fulcrum-escape-${this.#suffix}`,
      maskedSecret: mask(this.#secret),
      tmpBytes: TMP_BYTES,
      setuidProgram: this.path('app', 'mallory', 'as-root'),
      ...part,
    };
  }

  /** Makes the control groups of `plan`, until the stage is closed. */
  group(plan: SandboxPlan): void {
    const { cgroup } = plan;
    if (cgroup === null) return;
    this.#ends.push(async () => assert.deepEqual(await removeCgroups(cgroup), []));
    assert.deepEqual(createCgroups(cgroup), {});
  }

  /** Runs Node as the stage's user, in the component's folder, and gives the lines that it wrote. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Line[]> {
    const flags = ['--disable-warning=ExperimentalWarning', '--conditions=fulcrum-source'];
    return await this.spawned(process.execPath, [...flags, ...args], env);
  }

  async spawned(
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Line[]> {
    const child = spawn(file, args, {
      ...this.user,
      cwd: this.path('app', 'mallory'),
      // Whatever the server's environment holds, it must not come through.
      env: { PATH: '/usr/bin:/bin', SECRET: this.#secret, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    assert.deepEqual([code, signal], [0, null], `${complaints}\n${output}`);
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  }

  #layFiles(): void {
    chmodSync(this.folder, 0o755);
    for (const name of [
      'app',
      'app/mallory',
      'app/bob',
      'root',
      'tmp',
      'sibling',
      'control',
      'data',
      'scratch',
    ]) {
      mkdirSync(this.path(name), { mode: 0o755 });
    }
    const write = (name: string, text: string): void => writeFileSync(this.path(name), text, { mode: 0o644 });
    write('app/mallory/bundle.mjs', 'export default {};\n');
    write('app/mallory/.env', 'PAYMENT_KEY=secret\n');
    write('app/bob/bundle.mjs', 'export const secret = 1;\n');
    write('outside', 'of the host\n');
    write('sibling/secret', 'of the sibling\n');
    copyFileSync('/usr/bin/id', this.path('app', 'mallory', 'as-root'));
    chmodSync(this.path('app', 'mallory', 'as-root'), 0o4755);
    for (const name of ['root', 'tmp', 'sibling', 'control', 'data', 'scratch']) this.#give(this.path(name));
  }

  async #startServer(): Promise<void> {
    const wire = await WireListener.open(this.path('wire', 's'), systemClock, silentLogger);
    this.#ends.push(() => wire.close());
    const expected = wire.expect('i_expected');
    this.#ends.push(() => expected.cancel());
    this.#give(this.path('wire'));
    this.#give(this.path('wire', 's'));
    // Its folder keeps others out; a component has another user and sees the socket alone.
    chmodSync(this.path('wire', 's'), 0o666);

    const control = new ControlServer({
      host: FakeHost.dev(new FakePort()),
      clock: systemClock,
      logger: silentLogger,
      ownToken: randomText(30),
      tokens: null,
      audit: null,
      secrets: null,
    });
    const { url } = await control.listen({ httpPort: 0, host: '127.0.0.1', socketPath: null });
    this.#ends.push(() => control.close());
    this.#adminPort = Number(new URL(url!).port);

    await this.#listen(this.path('control', 's'));
    this.#give(this.path('control', 's'));
    chmodSync(this.path('control', 's'), 0o600);
    await this.#listen(`\0fulcrum-escape-${this.#suffix}`);
    await this.#standIn();
  }

  async #listen(path: string): Promise<Server> {
    const server = createServer((socket) => socket.destroy());
    server.listen(path);
    await once(server, 'listening');
    this.#ends.push(() => new Promise((resolve) => server.close(resolve)));
    return server;
  }

  /** A process of the user's that stands in for the server, with a secret in its environment. */
  async #standIn(): Promise<void> {
    const text = 'process.stdout.write("up"); process.stdin.resume()';
    const child = spawn(process.execPath, ['-e', text], {
      ...this.user,
      cwd: '/',
      env: { SECRET: this.#secret },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    this.#serverPid = child.pid!;
    this.#ends.push(async () => {
      const gone = once(child, 'exit');
      assert.equal(child.exitCode ?? child.signalCode, null, 'the server has been ended');
      child.kill();
      await gone;
    });
  }

  #give(path: string): void {
    if (process.getuid!() === 0) chownSync(path, this.user.uid, this.user.gid);
  }
}
