import assert from 'node:assert/strict';
import { request, type ClientRequest } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { appId } from '../../src/base/app-id.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { systemClock } from '../../src/base/clock.ts';
import { UsageHistory } from '../../src/meter/usage-history.ts';
import type { Mode } from '../../src/model/app.ts';
import { STORE_FILE } from '../../src/server/places.ts';
import { Platform } from '../../src/server/platform.ts';
import { builderFor, prepare } from '../../src/server/prepare.ts';
import { openStore } from '../../src/store/open-store.ts';
import { seeded } from '../faults/support/seeded.ts';
import { appFolder, config } from './support/app-folder.ts';
import { dataFolder } from './support/server-process.ts';

/** Takes as long as its body does, and answers with as many bytes as it is asked for. */
const WEB = `
  import { use } from 'fulcrum';
  const price = use<typeof import('./price.ts')>('price');
  const far = use<typeof import('./far.ts')>('far');
  export default {
    async fetch(request: Request): Promise<Response> {
      const asks = new URL(request.url).searchParams;
      await request.text();
      for (let i = 0; i < Number(asks.get('near')); i++) await price.of(i);
      for (let i = 0; i < Number(asks.get('far')); i++) await far.away(i);
      if (asks.has('fails')) throw new Error('on purpose');
      return new Response('x'.repeat(Number(asks.get('out'))));
    },
  };`;
const PRICE = `export async function of(n: number) { return n; } export default {};`;
const FAR = `export async function away(n: number) { return n; } export default {};`;
const COMMAND = `
  require('node:http').createServer((request, response) => {
    request.resume().on('end', () => response.end('y'.repeat(Number(new URL(request.url, 'http://x').searchParams.get('out')))));
  }).listen(process.env.PORT, '127.0.0.1');`;

const MEMORY = '96MB';
const MEMORY_BYTES = { shop: 2 * 96 * 1024 ** 2, command: 96 * 1024 ** 2, far: 96 * 1024 ** 2 };
const KEEP_ALIVE_MS = 10_000;
const START_MS = Date.UTC(2026, 4, 5, 10, 0, 30);

/** A running app by a clock that the test moves: what takes time takes exactly as long as the test lets pass. */
class Scene {
  readonly clock: FakeClock;
  readonly #platform: Platform;
  readonly #url: string;
  readonly #data: string;

  private constructor(clock: FakeClock, platform: Platform, url: string, data: string) {
    this.clock = clock;
    this.#platform = platform;
    this.#url = url;
    this.#data = data;
  }

  static async start(t: TestContext, mode: Mode): Promise<Scene> {
    const folder = await appFolder(t, {
      'fulcrum.config.ts': config(
        `{
          web: { entry: './web.ts', routes: ['/web'], ${modeSettings(mode)} },
          price: { entry: './price.ts', ${modeSettings(mode)} },
          far: { entry: './far.ts', mode: 'service', memory: '${MEMORY}' },
          command: { command: 'node command.cjs', routes: ['/command'], ${modeSettings(mode)} },
        }`,
        `groups: { shop: ['web', 'price'] },`,
      ),
      'web.ts': WEB,
      'price.ts': PRICE,
      'far.ts': FAR,
      'command.cjs': COMMAND,
    });
    const clock = new FakeClock(START_MS);
    const data = dataFolder(t);
    const builder = builderFor(folder.path, join(folder.path, '.fulcrum', 'build'));
    t.after(() => builder.close());
    const platform = await Platform.start({
      dataDirectory: data,
      databaseUrl: null,
      environment: 'test',
      clock,
      processClock: {
        nowMs: () => clock.nowMs(),
        monotonicMs: () => clock.monotonicMs(),
        after: (delayMs, run) => systemClock.after(delayMs, run),
        every: (periodMs, run) => systemClock.every(periodMs, run),
      },
      serverTiming: false,
      isAlone: true,
    });
    t.after(() => platform.close(0));
    const directory = folder.path;
    await platform.deploy(await prepare({ directory, environment: 'test', builder, secrets: new Map() }));
    const { gatewayUrl } = await platform.listen({ gatewayPorts: [0], adminPorts: null, host: '127.0.0.1' });
    return new Scene(clock, platform, gatewayUrl, data);
  }

  /** A request whose body is not whole before `finish` is called. Resolves when an instance is at it. */
  async begin(path: string, bytesIn: number): Promise<{ finish(): Promise<number> }> {
    const before = await this.#inFlight();
    const url = new URL(path, this.#url);
    const agent = false;
    const sent: ClientRequest = request(url, {
      method: 'POST',
      agent,
      headers: { 'content-length': bytesIn },
    });
    const answered = new Promise<number>((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (answer) => {
        let bytes = 0;
        answer.on('data', (piece: Buffer) => (bytes += piece.length));
        answer.on('end', () => resolve(bytes));
      });
    });
    sent.write(Buffer.alloc(bytesIn - 1));
    await this.#until(async () => (await this.#inFlight()) > before);
    return {
      finish: async () => {
        const now = await this.#inFlight();
        sent.end(Buffer.alloc(1));
        const bytes = await answered;
        // The answer is there before its invocation is over, and its time goes on until then.
        await this.#until(async () => (await this.#inFlight()) < now);
        return bytes;
      },
    };
  }

  /** Resolves when a unit has so many instances, those that end included. */
  async has(unit: string, count: number): Promise<void> {
    await this.#until(async () => {
      const all = await this.#statuses();
      return all.find(({ name }) => name === unit)!.instances.length === count;
    });
  }

  /** Ends it, and opens what it has left. */
  async history(t: TestContext): Promise<UsageHistory> {
    await this.#platform.close(0);
    const path = join(this.#data, STORE_FILE);
    const store = await openStore({ databaseUrl: null, path, clock: this.clock, logger: silentLogger });
    t.after(() => store.close());
    return new UsageHistory(appId('test', 'test'), store.usage);
  }

  async #statuses(): Promise<readonly { name: string; instances: readonly { inFlight: number }[] }[]> {
    const { control } = this.#platform;
    return [...(await control.components()), ...(await control.groups())];
  }

  async #inFlight(): Promise<number> {
    const all = await this.#statuses();
    // A group's instances are its members', too.
    return all
      .filter(({ name }) => name === 'shop' || name === 'command')
      .flatMap(({ instances }) => instances)
      .reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  async #until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await wait(2);
  }
}

function modeSettings(mode: Mode): string {
  return `mode: '${mode}', memory: '${MEMORY}', keepAlive: '10s', concurrency: ${mode === 'function' ? 1 : 8}`;
}

interface Asked {
  readonly component: 'web' | 'command';
  readonly arrivedAtMs: number;
  readonly takesMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly fails: boolean;
  readonly near: number;
  readonly far: number;
}

/** What is seen from outside: what was sent and come back, and how long the test's clock says that it took. */
function expected(asked: readonly Asked[], mode: Mode): Record<string, number> {
  const sum = (of: (one: Asked) => number): number => asked.reduce((total, one) => total + of(one), 0);
  return {
    count: asked.length,
    failed: sum(({ fails }) => Number(fails)),
    durationMs: sum(({ takesMs }) => takesMs),
    billedMs: mode === 'function' ? sum(({ takesMs }) => Math.ceil(takesMs)) : 0,
    wholeMs: sum(({ takesMs }) => Math.ceil(takesMs)),
    hundredsMs: sum(({ takesMs }) => Math.ceil(takesMs / 100) * 100),
    bytesIn: sum(({ bytesIn }) => bytesIn),
    bytesOut: sum(({ bytesOut }) => bytesOut),
    internal: 0,
  };
}

async function counted(
  history: UsageHistory,
  component: string,
  mode: Mode,
): Promise<Record<string, number>> {
  const found = { count: 0, failed: 0, durationMs: 0, billedMs: 0, wholeMs: 0, hundredsMs: 0 };
  const all = { ...found, bytesIn: 0, bytesOut: 0, internal: 0 };
  for await (const minute of history.minutes({ component, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })) {
    assert.equal(minute.mode, mode);
    all.count += minute.count;
    if (minute.outcome !== 'ok') all.failed += minute.count;
    all.durationMs += minute.durationMs;
    all.billedMs += minute.billedMs;
    all.wholeMs += minute.wholeMs;
    all.hundredsMs += minute.hundredsMs!;
    all.bytesIn += minute.bytesIn;
    all.bytesOut += minute.bytesOut;
    all.internal += minute.internal;
  }
  return all;
}

interface Lived {
  readonly started: number;
  readonly livedMs: number;
  readonly heldByteMs: number;
  readonly watchedMs: number;
  readonly usedByteMs: number;
  readonly cpuMs: number;
}

async function lived(history: UsageHistory, unit: string): Promise<Lived> {
  const all = { started: 0, livedMs: 0, heldByteMs: 0, watchedMs: 0, usedByteMs: 0, cpuMs: 0 };
  for await (const minute of history.instances({
    component: unit,
    fromMs: 0,
    toMs: Number.MAX_SAFE_INTEGER,
  })) {
    assert.ok(minute.minuteMs % 60_000 === 0 && minute.livedMs >= 0);
    for (const key of Object.keys(all) as (keyof Lived)[]) all[key] += minute[key];
  }
  return all;
}

for (const mode of ['function', 'service'] as const) {
  test(`as a ${mode}: invocations, billed time, bytes and lives are what was seen from outside`, async (t) => {
    const scene = await Scene.start(t, mode);
    const { clock } = scene;
    const random = seeded(10);
    const whole = (most: number): number => Math.floor(random() * most);
    const asked: Asked[] = [];
    const ask = async (component: Asked['component']): Promise<Asked & { finish: () => Promise<void> }> => {
      const fails = component === 'web' && random() < 0.2;
      const one = {
        component,
        fails,
        arrivedAtMs: clock.nowMs(),
        // Of all that rounding makes a difference for: parts of a ms, parts of a hundred, and whole ones.
        takesMs: [whole(1_000) + 0.5, whole(400), 100, 0][whole(4)]!,
        bytesIn: 1 + whole(100_000),
        near: component === 'web' ? whole(4) : 0,
        far: component === 'web' ? whole(3) : 0,
      };
      const query = `out=${whole(50_000)}&near=${one.near}&far=${one.far}${fails ? '&fails' : ''}`;
      const { finish } = await scene.begin(`/${component}?${query}`, one.bytesIn);
      const asking = {
        ...one,
        bytesOut: 0,
        finish: async () => {
          const takesMs = clock.nowMs() - one.arrivedAtMs;
          asked.push({ ...one, takesMs, bytesOut: await finish() });
        },
      };
      return asking;
    };
    const beganMs = clock.nowMs();
    // Lives by unit: where each began and ended.
    const lives: Record<'shop' | 'command', number> = { shop: 0, command: 0 };

    // Two at a time: two instances of a function, one of a service.
    const first = await ask('web');
    await clock.advance(250);
    const second = await ask('web');
    await clock.advance(130.5);
    await first.finish();
    await clock.advance(700);
    await second.finish();
    if (mode === 'function') {
      await clock.advance(KEEP_ALIVE_MS - 700);
      await scene.has('shop', 1);
      await clock.advance(700);
      await scene.has('shop', 0);
      lives.shop += 380.5 + KEEP_ALIVE_MS + (830.5 + KEEP_ALIVE_MS);
    }

    // Then one after the other, over more than one minute.
    for (const component of ['web', 'command'] as const) {
      const fromMs = clock.nowMs();
      for (let i = 0; i < 12; i++) {
        const one = await ask(component);
        await clock.advance(one.takesMs);
        await one.finish();
        if (i < 11) await clock.advance(whole(9_000));
      }
      if (mode === 'service') continue;
      const unit = component === 'web' ? 'shop' : 'command';
      await clock.advance(KEEP_ALIVE_MS);
      await scene.has(unit, 0);
      lives[unit] += clock.nowMs() - fromMs;
    }
    const wholeMs = clock.nowMs() - beganMs;
    const history = await scene.history(t);

    for (const component of ['web', 'command'] as const) {
      const own = asked.filter((one) => one.component === component);
      assert.deepEqual(await counted(history, component, mode), expected(own, mode), component);
    }
    const far = asked.reduce((sum, one) => sum + one.far, 0);
    const { count, internal, bytesIn, bytesOut } = await counted(history, 'far', 'service');
    assert.deepEqual([count, internal, bytesIn, bytesOut], [far, far, 0, 0]);

    const near: unknown[] = [];
    for await (const calls of history.joinedCalls({
      component: null,
      fromMs: 0,
      toMs: Number.MAX_SAFE_INTEGER,
    }))
      near.push([calls.caller, calls.callee, calls.count, calls.failed]);
    assert.deepEqual(near, [['web', 'price', asked.reduce((sum, one) => sum + one.near, 0), 0]]);

    for (const unit of ['shop', 'command', 'far'] as const) {
      const { started, livedMs, heldByteMs, watchedMs, usedByteMs, cpuMs } = await lived(history, unit);
      const isFunction = mode === 'function' && unit !== 'far';
      assert.equal(livedMs, isFunction ? lives[unit] : wholeMs, unit);
      assert.equal(started, isFunction && unit === 'shop' ? 3 : 1, unit);
      assert.equal(heldByteMs, livedMs * MEMORY_BYTES[unit], unit);
      assert.ok(watchedMs > 0 && watchedMs <= livedMs, `${unit}: ${watchedMs} of ${livedMs} ms were watched`);
      const usedBytes = usedByteMs / watchedMs;
      assert.ok(usedBytes > 100_000 && usedBytes < MEMORY_BYTES[unit], `${unit}: ${usedBytes} bytes`);
      assert.ok(cpuMs > 0, `${unit} used no processor`);
    }
    assert.deepEqual(await history.gaps({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }), []);
  });
}
