import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { appFolder, config } from '../../e2e/support/app-folder.ts';
import { mounts, openDescriptors, privateBytes, processTree } from './support/processes.ts';

const FULL = process.env['FULCRUM_FULL'] !== undefined;
const INVOCATIONS = FULL ? 20_000 : 2_000;
/** Of them, before what is held is looked at for the first time: until then code is compiled and buffers find their size. */
const WARM_UP = FULL ? 4_000 : 500;
const FUNCTIONS = 10;
/** One in so many has everything collected; no multiple of it is one of the functions' number, so that each comes to it. */
const COLLECTS_ALL = 11;
const LANES = 4;
const SETTLED_WITHIN_MS = 30_000;
const MB = 1024 * 1024;
/** What the server's heap may hold more at the end, which is after a collection. */
const MORE_IN_SERVER_BYTES = 8 * MB;
/**
 * How many more private pages each zygote may have. In its first 300 forks those grow by 10 MB, as V8 collects what a zygote's loop
 * leaves only once the young generation is full; from then on they stay. A tenth of the soak is not that long.
 */
const MORE_IN_ZYGOTE_BYTES = FULL ? 2 * MB : 12 * MB;

/** Has the young collected while a timer is under way, and all, which copies every page of the zygote's, where it is asked to. */
const COLLECTS = `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const kept = Array.from({ length: 1_000 }, (_, i) => ({ i }));
  export default {
    async fetch(request) {
      const made = Array.from({ length: 2_000 }, (_, i) => ({ i, text: String(i) }));
      await new Promise((resolve) => setTimeout(resolve, 1));
      collect({ type: 'minor' });
      if (request.url.endsWith('?all')) collect();
      return new Response(made[1_999].text + ' ' + kept[999].i);
    },
  };`;
const COLLECTED = '1999 999';

interface Held {
  readonly heldBytes: number;
  readonly problems: readonly string[];
}

/** The app in a process of its own, so that what is measured is the server's and not this test's. */
class AppServer {
  readonly pid: number;
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  static async start(t: TestContext, folder: string): Promise<AppServer> {
    const script = join(import.meta.dirname, '..', 'fixtures', 'app-server.ts');
    const flags = ['--expose-gc', '--conditions=fulcrum-source', '--disable-warning=ExperimentalWarning'];
    const child = spawn(process.execPath, [...flags, script, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { url } = JSON.parse((await lines.next()).value as string) as { url: string };
    return new AppServer(child, lines, url);
  }

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, url: string) {
    this.#child = child;
    this.#lines = lines;
    this.pid = child.pid!;
    this.url = url;
  }

  async held(): Promise<Held> {
    this.#child.stdin!.write('\n');
    return JSON.parse((await this.#lines.next()).value as string) as Held;
  }
}

/** What stands when nothing is under way. */
interface Standing {
  readonly server: Held;
  /** Root zygotes and functions' zygotes, by process id. */
  readonly zygotes: ReadonlyMap<number, { descriptors: number; mounts: number; bytes: number }>;
  /** Processes that these have begun. */
  readonly others: number;
  readonly descriptors: number;
  readonly mounts: number;
}

test(
  `${INVOCATIONS} fresh invocations of ${FUNCTIONS} functions that collect garbage: nothing is left behind`,
  { timeout: 1_800_000, skip: process.platform !== 'linux' && 'functions are forked on Linux only' },
  async (t) => {
    const names = Array.from({ length: FUNCTIONS }, (_, i) => `f${i}`);
    const components = names.map(
      (name) => `${name}: { entry: './${name}.ts', routes: ['/${name}'], fresh: true }`,
    );
    const folder = await appFolder(t, {
      'fulcrum.config.ts': config(`{ ${components.join(', ')} }`),
      ...Object.fromEntries(names.map((name) => [`${name}.ts`, COLLECTS])),
    });
    const server = await AppServer.start(t, folder.path);
    await invoke(server, names, WARM_UP);
    const before = await standing(server, null);
    await invoke(server, names, INVOCATIONS - WARM_UP);
    const after = await standing(server, before);

    assert.equal(before.others + after.others, 0, 'instances and spares');
    assert.deepEqual([...after.zygotes.keys()], [...before.zygotes.keys()], 'the same zygotes');
    assert.ok(before.zygotes.size > FUNCTIONS);
    for (const [pid, { descriptors, mounts, bytes }] of after.zygotes) {
      const first = before.zygotes.get(pid)!;
      assert.deepEqual([descriptors, mounts], [first.descriptors, first.mounts], 'a zygote’s');
      assert.ok(
        bytes - first.bytes < MORE_IN_ZYGOTE_BYTES,
        `a zygote went from ${first.bytes} to ${bytes} bytes`,
      );
    }
    assert.deepEqual([after.descriptors, after.mounts], [before.descriptors, before.mounts], 'the server’s');
    const more = after.server.heldBytes - before.server.heldBytes;
    assert.ok(more < MORE_IN_SERVER_BYTES, `the server holds ${more} bytes more`);
    assert.deepEqual(after.server.problems, []);
    t.diagnostic(JSON.stringify({ before: plain(before), after: plain(after) }));
  },
);

function plain({ zygotes, ...rest }: Standing): object {
  return { ...rest, zygotes: [...zygotes.values()] };
}

/** Every answer must be right. Connections are closed again. */
async function invoke(server: AppServer, names: readonly string[], count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      const number = begun++;
      const path = `${names[number % names.length]}${number % COLLECTS_ALL === 0 ? '?all' : ''}`;
      assert.deepEqual(await answerOf(`${server.url}/${path}`, agent), [200, COLLECTED]);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  agent.destroy();
}

function answerOf(url: string, agent: Agent): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () => resolve([answer.statusCode!, text]));
      answer.on('error', reject);
    }).on('error', reject);
  });
}

/** The working folder, which a zygote has from its component on. */
function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '/';
  }
}

/**
 * What is held once the last instances are gone and the last connection is closed: once it is as `before`, or, without one, the same
 * twice in a row. A leak never comes to that, and is what is left after a while.
 */
async function standing(server: AppServer, before: Standing | null): Promise<Standing> {
  const countsOf = ({ zygotes, descriptors }: Omit<Standing, 'server'>): string =>
    JSON.stringify([descriptors, ...[...zygotes].map(([pid, zygote]) => [pid, zygote.descriptors])]);
  const untilMs = performance.now() + SETTLED_WITHIN_MS;
  let last = before === null ? '' : countsOf(before);
  for (;;) {
    // Below a function's zygote are instances, which have ended, and spares, which end when nobody asks for more.
    const processes = processTree(server.pid, 2).slice(1);
    const others = processTree(server.pid).length - 1 - processes.length;
    const roots = new Set(processTree(server.pid, 1).slice(1));
    // Blank zygotes come and go; at rest there is one.
    const zygotes = processes.filter((pid) => roots.has(pid) || folderOf(pid) !== '/');
    const blanks = processes.length - zygotes.length;
    const now = {
      zygotes: new Map(
        zygotes.map((pid) => [
          pid,
          { descriptors: openDescriptors(pid), mounts: mounts(pid), bytes: privateBytes(pid) },
        ]),
      ),
      others,
      descriptors: openDescriptors(server.pid),
      mounts: mounts(server.pid),
    };
    const counts = countsOf(now);
    if ((counts === last && others === 0 && blanks <= 1) || performance.now() > untilMs)
      return { ...now, server: await server.held() };
    if (before === null) last = counts;
    await wait(100);
  }
}
