import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger, type Logger } from '../../base/log.ts';
import type { Delivery } from '../../model/event-store.ts';
import { DEFAULT_RETRY, type Schedule, type ScheduledAt } from '../../model/work-settings.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import type { Store } from '../../store/store.ts';
import { MOST_SLEEP_MS, Scheduler } from './scheduler.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.UTC(2026, 5, 2, 1, 50, 1);
const TWO = Date.UTC(2026, 5, 2, 2);

const nightly = schedule('nightly', { kind: 'cron', cron: '0 2 * * *', timeZone: 'UTC' });
const often = schedule('often', { kind: 'every', everyMs: 30_000, text: '@every 30s' });

test('a tick keeps its work, tells of it, and is shown with its outcome', async (t) => {
  const scene = await Scene.open(t, [nightly]);
  const { scheduler } = scene;
  const text = { name: 'nightly', text: '0 2 * * *' };
  const never = { ...text, lastAtMs: null, lastState: null, lastMessage: null };
  assert.deepEqual(scheduler.status('report'), [{ ...never, nextAtMs: TWO }]);
  await scene.goTo(TWO - 1);
  assert.deepEqual(await scene.kept(), []);
  await scene.goTo(TWO);
  const [work] = await scene.kept();
  assert.deepEqual(
    [
      work!.kind,
      work!.type,
      work!.source,
      work!.timeMs,
      work!.dueAtMs,
      JSON.parse(Buffer.from(work!.data).toString()),
    ],
    [
      ...['schedule', 'nightly', '/components/report/schedules/nightly', TWO, TWO],
      { cron: '0 2 * * *', name: 'nightly', scheduledTime: TWO },
    ],
  );
  assert.deepEqual(scene.told, ['report']);
  const next = { ...text, lastAtMs: TWO, nextAtMs: TWO + 24 * HOUR_MS, lastMessage: null };
  assert.deepEqual(scheduler.status('report'), [{ ...next, lastState: 'running' }]);
  await scene.finish(work!);
  scheduler.settled();
  await scene.goTo(TWO + 1_000);
  assert.deepEqual(scheduler.status('report'), [{ ...next, lastState: 'ok' }]);
  assert.deepEqual(scheduler.status('another'), []);
});

test('ticks that were missed while nothing ran are made up for once', async (t) => {
  const scene = await Scene.open(t, [nightly, schedule('skips', nightly.when, { missed: 'skip' })]);
  await scene.scheduler.close();
  await scene.clock.advance(5 * 24 * HOUR_MS);
  assert.deepEqual(await scene.kept(), []);
  const again = scene.another();
  await again.step();
  const last = Date.UTC(2026, 5, 6, 2);
  assert.deepEqual(
    (await scene.kept()).map(({ type, timeMs }) => [type, timeMs]),
    [['nightly', last]],
  );
  const [ran, skipped] = again.status('report');
  assert.deepEqual([ran!.lastState, ran!.lastAtMs, ran!.nextAtMs], ['running', last, last + 24 * HOUR_MS]);
  assert.deepEqual([skipped!.lastState, skipped!.lastAtMs], ['skipped', last]);
  await scene.clock.advance(1_000);
  await again.step();
  assert.equal(
    again.status('report')[1]!.lastMessage,
    `It was missed: it was due at 2026-06-06T02:00:00.000Z.`,
  );
});

test('of servers that fire the same schedules each tick is fired by one, and all know it', async (t) => {
  const scene = await Scene.open(t, [schedule('often', often.when, { overlap: 'allow' })]);
  const others = [scene.another(await scene.openStore()), scene.another()];
  const all = [scene.scheduler, ...others];
  await Promise.all(all.map((one) => one.step()));
  for (let round = 0; round < 20; round++) {
    await scene.clock.advance(30_000);
    await Promise.all(all.map((one) => one.step()));
  }
  const times = (await scene.kept()).map(({ timeMs }) => timeMs).sort((a, b) => a - b);
  const first = Math.ceil(START_MS / 30_000) * 30_000;
  assert.deepEqual(
    times,
    Array.from({ length: 20 }, (_, i) => first + i * 30_000),
  );
  assert.equal(scene.told.length, 20);
  for (const one of all) assert.equal(one.status('report')[0]!.lastAtMs, times.at(-1));
});

test('while one still runs the next is skipped, and the one after it is not', async (t) => {
  const scene = await Scene.open(t, [often]);
  await scene.go(30_000);
  const [work] = await scene.kept();
  await scene.go(30_000);
  assert.equal((await scene.kept()).length, 1);
  await scene.go(1_000);
  const [status] = scene.scheduler.status('report');
  assert.deepEqual([status!.lastState, status!.lastMessage], ['skipped', 'The one before still ran.']);
  await scene.finish(work!);
  await scene.go(29_000);
  assert.equal((await scene.kept()).length, 1);
  assert.equal(scene.told.length, 2);
});

test('what rests fires nothing; when it begins again, what it has missed meanwhile comes once', async (t) => {
  const scene = await Scene.open(t, [often]);
  await scene.scheduler.rest();
  assert.equal(scene.clock.pending, 0);
  scene.scheduler.changed();
  await scene.go(10 * MINUTE_MS);
  assert.deepEqual(await scene.kept(), []);
  scene.scheduler.begin();
  await scene.scheduler.step();
  assert.equal((await scene.kept()).length, 1);
  await scene.scheduler.close();
  scene.scheduler.begin();
  await scene.go(10 * MINUTE_MS);
  assert.equal((await scene.kept()).length, 1);
  assert.equal(scene.clock.pending, 0);
});

test('what serves now is fired: a changed one begins anew, one that is gone ticks no more', async (t) => {
  const at = (atMs: number): ScheduledAt => ({ kind: 'at', atMs });
  const scene = await Scene.open(t, [nightly, often]);
  scene.serve([
    schedule('nightly', { ...nightly.when, cron: '0 3 * * *' } as ScheduledAt),
    schedule('past', at(START_MS - 1)),
  ]);
  await scene.scheduler.step();
  await scene.goTo(TWO + HOUR_MS - 1);
  assert.deepEqual(await scene.kept(), []);
  const past = { name: 'past', text: '@at 2026-06-02T01:50:00.999Z', lastAtMs: START_MS - 1, nextAtMs: null };
  const why = 'Its time had passed when it was first seen.';
  assert.deepEqual(scene.scheduler.status('report')[1], { ...past, lastState: 'skipped', lastMessage: why });
  assert.deepEqual(scene.lines('warn'), [`a tick is skipped: ${why}`]);
  await scene.goTo(TWO + HOUR_MS);
  assert.deepEqual(
    (await scene.kept()).map(({ timeMs }) => timeMs),
    [TWO + HOUR_MS],
  );
  scene.serve([]);
  await scene.scheduler.step();
  assert.equal(scene.clock.pending, 0);
  assert.deepEqual(await scene.store.schedules.list('shop'), []);
});

test('while nothing serves, what is known of the schedules stays', async (t) => {
  const scene = await Scene.open(t, [nightly]);
  scene.serve(null);
  await scene.goTo(TWO);
  assert.deepEqual(await scene.kept(), []);
  assert.deepEqual(scene.scheduler.status('report'), []);
  assert.equal(scene.clock.pending, 0);
  scene.serve([nightly]);
  await scene.scheduler.step();
  assert.deepEqual(
    (await scene.kept()).map(({ timeMs }) => timeMs),
    [TWO],
  );
});

test('where another server has made known another schedule of the name, that one counts', async (t) => {
  const scene = await Scene.open(t, [often]);
  await scene.store.schedules.sync(
    'shop',
    [{ component: 'report', name: 'often', spec: '@every 7s' }],
    START_MS,
  );
  await scene.go(30_000);
  await scene.go(30_000);
  assert.deepEqual(await scene.kept(), []);
  assert.equal(scene.scheduler.status('report')[0]!.lastAtMs, null);
  scene.scheduler.changed();
  await scene.go(30_000);
  assert.equal((await scene.kept()).length, 1);
});

test('a clock that leaps forward is noticed within half a minute, and what it leapt over comes once', async (t) => {
  const scene = await Scene.open(t, [nightly]);
  const fired = scene.nextFired();
  scene.clock.setWallMs(TWO + 77 * HOUR_MS);
  await scene.clock.advance(MOST_SLEEP_MS);
  // By its own timer: nobody makes a round.
  await fired;
  await scene.go(MOST_SLEEP_MS);
  assert.deepEqual(
    (await scene.kept()).map(({ timeMs }) => timeMs),
    [TWO + 72 * HOUR_MS],
  );
});

test('a clock that is put back by less than three hours: times of the day do not come again, intervals go on', async (t) => {
  const overlap = { overlap: 'allow' } as const;
  const scene = await Scene.open(t, [
    schedule('nightly', nightly.when, overlap),
    schedule('often', often.when, overlap),
  ]);
  await scene.goTo(TWO);
  const before = (await scene.kept()).length;
  scene.clock.setWallMs(TWO - HOUR_MS / 2);
  await scene.go(30_000);
  await scene.go(30_000);
  const after = await scene.kept();
  assert.ok(after.length > before, `${before} then ${after.length}`);
  assert.ok(scene.lines('warn').includes('the clock of this machine has been put back'));
  await scene.goTo(TWO + MINUTE_MS);
  assert.equal((await scene.kept()).filter(({ type }) => type === 'nightly').length, 1);
  scene.clock.setWallMs(TWO + 24 * HOUR_MS - 1);
  await scene.go(MOST_SLEEP_MS);
  assert.equal((await scene.kept()).filter(({ type }) => type === 'nightly').length, 2);
});

test('a clock that is put back by a little repeats nothing', async (t) => {
  const scene = await Scene.open(t, [schedule('often', often.when, { overlap: 'allow' })]);
  await scene.goTo(START_MS + 2 * MINUTE_MS);
  const count = (await scene.kept()).length;
  scene.clock.setWallMs(START_MS + MINUTE_MS);
  await scene.goTo(START_MS + 2 * MINUTE_MS);
  assert.equal((await scene.kept()).length, count);
  await scene.goTo(START_MS + 3 * MINUTE_MS);
  const times = (await scene.kept()).map(({ timeMs }) => timeMs);
  assert.ok(times.length > count);
  assert.equal(new Set(times).size, times.length);
});

test('a clock that is put back by a year is taken as it is', async (t) => {
  const scene = await Scene.open(t, [nightly]);
  await scene.goTo(TWO);
  await scene.finish((await scene.kept())[0]!);
  const yearAgo = Date.UTC(2025, 5, 1, 12);
  scene.clock.setWallMs(yearAgo);
  await scene.go(MOST_SLEEP_MS);
  assert.equal(scene.scheduler.status('report')[0]!.nextAtMs, Date.UTC(2025, 5, 2, 2));
  await scene.go(MOST_SLEEP_MS);
  assert.deepEqual(scene.lines('warn'), [
    'the clock of this machine has been put back',
    'a schedule begins again where the clock is',
  ]);
  scene.clock.setWallMs(Date.UTC(2025, 5, 2, 2) - 1);
  await scene.go(MOST_SLEEP_MS);
  assert.deepEqual(
    (await scene.kept()).map(({ timeMs }) => timeMs),
    [Date.UTC(2025, 5, 2, 2)],
  );
});

test('what the store cannot take is tried again, ever more seldom, and told once', async (t) => {
  const scene = await Scene.open(t, [nightly], 1);
  await scene.goTo(TWO - 1);
  const blocker = new DatabaseSync(scene.path);
  blocker.exec('BEGIN IMMEDIATE');
  await scene.goTo(TWO);
  for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]) {
    assert.deepEqual(await scene.kept(), []);
    await scene.go(pauseMs);
  }
  assert.deepEqual(scene.lines('warn'), ['schedules cannot be fired; it is tried again']);
  blocker.exec('ROLLBACK');
  blocker.close();
  // Not before its pause is over.
  await scene.go(29_999);
  assert.deepEqual(await scene.kept(), []);
  await scene.go(1);
  assert.deepEqual(
    (await scene.kept()).map(({ timeMs }) => timeMs),
    [TWO],
  );
  assert.deepEqual(scene.lines('info'), ['schedules are fired again']);
});

test('what serves is made known as soon as the store takes it', async (t) => {
  const scene = await Scene.open(t, [], 1);
  const blocker = new DatabaseSync(scene.path);
  blocker.exec('BEGIN IMMEDIATE');
  scene.serve([often]);
  await scene.scheduler.step();
  assert.deepEqual(await scene.store.schedules.list('shop'), []);
  blocker.exec('ROLLBACK');
  blocker.close();
  await scene.go(1_000);
  assert.equal((await scene.store.schedules.list('shop')).length, 1);
});

function schedule(name: string, when: ScheduledAt, more: Partial<Schedule> = {}): Schedule {
  return { name, when, missed: 'run', overlap: 'skip', retry: DEFAULT_RETRY, ...more };
}

/** A scheduler of one app on a store in a file, by a clock that is told to move. */
class Scene {
  readonly clock = new FakeClock(START_MS);
  readonly told: string[] = [];
  readonly path: string;
  store!: Store;
  scheduler!: Scheduler;
  readonly #busyTimeoutMs: number;
  readonly #t: TestContext;
  readonly #lines: { readonly level: string; readonly message: string }[] = [];
  #serving: readonly Schedule[] | null = [];
  readonly #works: string[] = [];
  #fired: (() => void) | null = null;
  #nodes = 0;

  /** Has begun, with all of it made known. */
  static async open(t: TestContext, serving: readonly Schedule[], busyTimeoutMs = 5_000): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-schedules-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const scene = new Scene(t, join(folder, 'store.db'), busyTimeoutMs);
    scene.store = await scene.openStore();
    scene.#serving = serving;
    scene.scheduler = scene.another();
    await scene.scheduler.step();
    return scene;
  }

  private constructor(t: TestContext, path: string, busyTimeoutMs: number) {
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#t = t;
    this.path = path;
  }

  async openStore(): Promise<Store> {
    const store = await openSqliteStore({
      ...{ path: this.path, busyTimeoutMs: this.#busyTimeoutMs, clock: this.clock, logger: silentLogger },
    });
    this.#t.after(() => store.close());
    return store;
  }

  /** Another server's, of the same app. */
  another(store = this.store): Scheduler {
    const { schedules } = store;
    const scheduler = new Scheduler({
      app: 'shop',
      store: {
        ...schedules,
        tick: (order) => {
          if (order.work !== null) this.#works.push(order.work.id);
          return schedules.tick(order);
        },
      },
      clock: this.clock,
      logger: this.#logger(),
      schedules: () => (this.#serving === null ? null : new Map([['report', this.#serving]])),
      node: `n${this.#nodes++}`,
      onFired: (component) => {
        this.told.push(component);
        this.#fired?.();
      },
    });
    this.#t.after(() => scheduler.close());
    scheduler.begin();
    return scheduler;
  }

  /** Null: nothing serves. */
  serve(schedules: readonly Schedule[] | null): void {
    this.#serving = schedules;
    this.scheduler.changed();
  }

  /** Lets time pass, as its timers have it wake. */
  async go(byMs: number): Promise<void> {
    await this.clock.advance(byMs);
    // Behind the round that a timer has begun.
    await this.scheduler.step();
  }

  /** Resolves when the next tick is told of. */
  nextFired(): Promise<void> {
    return new Promise((resolve) => (this.#fired = resolve));
  }

  /** By rounds that are no longer than it sleeps. */
  async goTo(wallMs: number): Promise<void> {
    for (let leftMs = wallMs - this.clock.nowMs(); leftMs > 0; leftMs = wallMs - this.clock.nowMs())
      await this.go(Math.min(leftMs, MOST_SLEEP_MS));
  }

  /** All that is kept of ticks, in the order in which they were fired. */
  async kept(): Promise<Delivery[]> {
    return (await Promise.all(this.#works.map((id) => this.store.events.get('shop', id)))).flat();
  }

  /** Its handler has run. */
  async finish({ id }: Delivery): Promise<void> {
    const lease = { app: 'shop', component: 'report', node: 'n', nowMs: this.clock.nowMs(), limit: 100 };
    const got = await this.store.events.lease({ ...lease, maxBytes: 1e6, mostLeased: null });
    const { attempt } = got.find((one) => one.id === id)!;
    const outcome = { as: 'done', answer: null } as const;
    const settle = [{ app: 'shop', component: 'report', id, attempt, outcome }];
    await this.store.events.commit({ node: 'n', nowMs: this.clock.nowMs(), publish: [], settle });
  }

  lines(level: string): string[] {
    return this.#lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  #logger(): Logger {
    const at = (level: string) => (_fields: object, message: string) =>
      void this.#lines.push({ level, message });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}
