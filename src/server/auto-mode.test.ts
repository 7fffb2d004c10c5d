import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { answerOf } from '../advisor/auto/unit-answer.ts';
import { readOwnUsage } from '../advisor/own/read-own-usage.ts';
import { unitFacts } from '../advisor/testing/usage-export.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import { spec } from '../capacity/testing/usage.ts';
import { DEFAULT_ADVISOR } from '../config/defaults.ts';
import { UsageMeter } from '../meter/usage-meter.ts';
import type { UnitFacts } from '../model/advice-facts.ts';
import type { Mode, ModeSetting } from '../model/app.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { AppUsage } from './app-usage.ts';
import { AutoModes } from './auto-mode.ts';
import type { RunningApp } from './running-app.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const UNIT = 'catalog';

/** A server's part of an app with one component of mode auto. */
class Node {
  mode: Mode = 'function';
  canary: object | null = null;
  fails: Error | null = null;
  facts: Partial<UnitFacts> = { findings: { function: [], service: [] } };
  chosen: ModeSetting = 'auto';
  /** Waited for before the facts of a unit are given. */
  looking: (unit: string) => Promise<void> = () => Promise.resolve();
  readonly notes: string[] = [];
  readonly switches: string[] = [];
  readonly modes: AutoModes;
  readonly meter: UsageMeter;

  constructor(name: string, store: Store, clock: FakeClock, others: readonly string[] = []) {
    this.meter = new UsageMeter({ app: 'shop', store: store.usage, clock, logger: silentLogger });
    const advisor = { ...DEFAULT_ADVISOR, auto: { ...DEFAULT_ADVISOR.auto } };
    const names = [...others, UNIT];
    const components = new Map(names.map((one) => [one, { ...spec(), name: one, modeSetting: 'auto' }]));
    const appSpec = { environment: 'production', advisor, components, groups: new Map() };
    const serving = {
      spec: appSpec,
      choice: () => ({ configured: 'auto', chosen: this.chosen, mode: this.mode }),
      scaler: {
        mode: () => this.mode,
        note: (unit: string, text: string) => this.notes.push(`${unit}: ${text}`),
      },
    };
    const facts = (): UnitFacts =>
      unitFacts({ ...this.facts, unit: UNIT, modeSetting: 'auto', mode: this.mode });
    const usage = new AppUsage({
      app: { id: 'shop', meter: this.meter, spec: appSpec },
      usage: store.usage,
      facts: () => Promise.resolve([facts()]),
    });
    const canary = (): object | null => this.canary;
    const app = {
      ...{ id: 'shop', serving, usage },
      facts: {
        of: async (unit: string) => {
          const found = facts();
          await this.looking(unit);
          return found;
        },
      },
      get canary() {
        return canary();
      },
    } as unknown as RunningApp;
    this.modes = new AutoModes({
      apps: () => [app],
      ...{ store: store.modes, usage: store.usage, node: name, clock, logger: silentLogger },
      read: async (lines) => {
        const read = await readOwnUsage(lines);
        return {
          ask: (question) => Promise.resolve(answerOf(read, question)),
          close: () => Promise.resolve(),
        };
      },
      switchUnit: (id, unit, to, keep) => {
        if (this.fails !== null) return Promise.reject(this.fails);
        this.switches.push(`${id} ${unit} ${to}${keep ? '' : ' alone'}`);
        this.mode = to;
        return Promise.resolve();
      },
    });
  }
}

async function world(t: TestContext) {
  const clock = new FakeClock(Date.UTC(2026, 10, 2));
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-auto-'));
  const store = await openSqliteStore({ path: join(folder, 'store.db'), clock, logger: silentLogger });
  const nodes: Node[] = [];
  const nodeOf = (name: string, others: readonly string[] = []): Node => {
    const node = new Node(name, store, clock, others);
    nodes.push(node);
    return node;
  };
  t.after(async () => {
    for (const { meter } of nodes) await meter.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  /** An hour in which so many came to a node each minute, at the end of which it is looked at. */
  const hour = async (node: Node, perMinute: number, durationMs = 100): Promise<void> => {
    const fromMs = clock.nowMs();
    const { mode, meter } = node;
    for (let i = 0; i < 60 * perMinute; i++) {
      meter.record({
        ...{ component: UNIT, revision: 'r', mode, trigger: 'route', outcome: 'ok', requestId: `r_${i}` },
        ...{ status: 200, arrivedAtMs: fromMs + (i * MINUTE_MS) / perMinute, waitedMs: 0, startMs: 0 },
        ...{ durationMs, billedMs: mode === 'function' ? durationMs : 0, cpuMs: 5, cold: false },
        ...{ memoryBytes: 128 * 1024 ** 2, bytesIn: 0, bytesOut: 0 },
      });
    }
    if (mode === 'service') {
      meter.instances.record({
        ...{ unit: UNIT, revision: 'r', mode, fromMs, lastsMs: HOUR_MS, begins: false },
        ...{ memoryBytes: 256 * 1024 ** 2, usedBytes: null, cpuMs: 0 },
      });
    }
    for (let minutes = 0; minutes < 60; minutes += 10) {
      clock.setWallMs(clock.nowMs() + 10 * MINUTE_MS);
      await node.modes.look();
    }
  };
  const kinds = async (): Promise<string[]> =>
    (await store.modes.steps('shop', null, null, 100)).toReversed().map(({ kind, to }) => `${kind} ${to}`);
  return { clock, store, nodeOf, hour, kinds };
}

// Some nine a second are even: a quarter of a vCPU on Fargate, 128 MB for 100 ms on Lambda.
const MUCH = 1_500;
const LITTLE = 10;

test('auto makes a service of what has much to do, and a function of it when it has little, by what was counted', async (t) => {
  const { nodeOf, hour, kinds, store } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  assert.deepEqual(await kinds(), []);
  await hour(node, MUCH);
  assert.deepEqual(node.switches, ['shop catalog service']);
  for (let i = 0; i < 5; i++) await hour(node, LITTLE);
  assert.equal(node.mode, 'service', 'it dwells for six hours');
  await hour(node, LITTLE);
  assert.deepEqual(await kinds(), ['switched service', 'switched function']);
  assert.equal(node.notes.length, 2);
  assert.match(
    node.notes[0]!,
    /^catalog: auto: switched from function to service\. By its traffic it costs \$/,
  );
  const [step] = await store.modes.steps('shop', UNIT, null, 1);
  assert.ok(step!.figures['savingLow']! > 0 && step!.by === 'auto', JSON.stringify(step));
  // What was counted is what was predicted, within a few percent.
  const { measuredPerMonth, presentPerMonth } = step!.figures;
  assert.ok(Math.abs(measuredPerMonth! / presentPerMonth! - 1) < 0.1, JSON.stringify(step));
});

test('what a server knew the next one goes on with', async (t) => {
  const { nodeOf, hour, kinds, clock } = await world(t);
  const first = nodeOf('n1');
  await first.modes.look();
  await hour(first, MUCH);
  await hour(first, LITTLE);
  const second = nodeOf('n2');
  second.mode = 'service';
  clock.setWallMs(clock.nowMs() + 3 * HOUR_MS);
  await second.modes.look();
  for (let i = 0; i < 2; i++) await hour(second, LITTLE);
  assert.equal(second.mode, 'function', 'six hours since the switch');
  assert.deepEqual(await kinds(), ['switched service', 'switched function']);
});

test('of two servers one decides, and the other does as it did', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const [one, two] = [nodeOf('n1'), nodeOf('n2')];
  await one.modes.look();
  await two.modes.look();
  await hour(one, MUCH);
  await two.modes.look();
  assert.deepEqual([one.switches, two.switches], [['shop catalog service'], ['shop catalog service alone']]);
  assert.deepEqual(await kinds(), ['switched service']);
});

test('where the server that decided is gone, the other one goes on from what it is', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const [one, two] = [nodeOf('n1'), nodeOf('n2')];
  await one.modes.look();
  await hour(one, MUCH);
  await two.modes.look();
  assert.equal(two.mode, 'service');
  for (let i = 0; i < 6; i++) await hour(two, LITTLE);
  assert.deepEqual(two.switches, ['shop catalog service alone', 'shop catalog function']);
  await one.modes.look();
  assert.equal(one.mode, 'function');
  assert.deepEqual(await kinds(), ['switched service', 'switched function']);
});

test('a switch that cannot be made is told, and tried again later', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  node.fails = new FulcrumError('start-failed', "'catalog' did not start.");
  await hour(node, MUCH);
  assert.deepEqual(await kinds(), ['failed service']);
  assert.match(
    node.notes[0]!,
    /could not be made a service, which is tried again\. 'catalog' did not start\./,
  );
  node.fails = null;
  await hour(node, MUCH);
  assert.equal(node.mode, 'service');
});

test('a warning that refuses a switch by hand blocks auto', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  const finding = {
    ...{
      rule: 'module-state',
      member: null,
      severity: 'warning' as const,
      file: 'src/a.ts',
      line: 3,
      column: 1,
    },
    ...{ lineText: '', message: 'It keeps sessions in memory.', advice: '' },
  } as const;
  node.facts = { findings: { function: [], service: [finding] } };
  for (let i = 0; i < 3; i++) await hour(node, MUCH);
  assert.deepEqual([node.mode, await kinds()], ['function', ['blocked service']]);
  assert.match(node.notes[0]!, /It cannot be a service: .*It keeps sessions in memory\./);
});

test('while a canary is tried out nothing is decided', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  node.canary = {};
  await hour(node, MUCH);
  assert.deepEqual(await kinds(), []);
});

test('what nobody was there to count is not taken for no traffic: a server that was down, a clock that was set', async (t) => {
  const { nodeOf, hour, kinds, clock } = await world(t);
  const first = nodeOf('n1');
  await first.modes.look();
  await hour(first, MUCH);
  assert.equal(first.mode, 'service');
  // Down for a day; nothing came to where nobody was.
  clock.setWallMs(clock.nowMs() + 24 * HOUR_MS);
  const second = nodeOf('n2');
  second.mode = 'service';
  await second.modes.look();
  await hour(second, MUCH);
  assert.equal(second.mode, 'service');
  // A year ahead, and back.
  clock.setWallMs(clock.nowMs() + 365 * 24 * HOUR_MS);
  await second.modes.look();
  await hour(second, MUCH);
  clock.setWallMs(clock.nowMs() - 365 * 24 * HOUR_MS);
  await second.modes.look();
  for (let i = 0; i < 2; i++) await hour(second, MUCH);
  assert.deepEqual([second.mode, await kinds()], ['service', ['switched service']]);
  for (let i = 0; i < 7; i++) await hour(second, LITTLE);
  assert.equal(second.mode, 'function', 'and it goes on deciding');
});

test('what came while a canary was tried out is not looked at after it either', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  node.canary = {};
  await hour(node, MUCH);
  node.canary = null;
  await node.modes.look();
  assert.deepEqual(await kinds(), []);
  await hour(node, MUCH);
  assert.deepEqual(await kinds(), ['switched service']);
});

test('a unit that cannot be decided about keeps nobody from the others, and is tried ever later', async (t) => {
  const { nodeOf, hour } = await world(t);
  const node = nodeOf('n1', ['broken']);
  let asked = 0;
  node.looking = (unit) => {
    if (unit !== 'broken') return Promise.resolve();
    asked++;
    return Promise.reject(new FulcrumError('bad-request', 'This traffic does not fit into memory.'));
  };
  await node.modes.look();
  await hour(node, MUCH);
  assert.deepEqual(node.switches, ['shop catalog service']);
  // Looked at every ten minutes, after pauses of 1, 2, 4, 8, 16 and 32.
  asked = 0;
  await hour(node, MUCH);
  assert.equal(asked, 5);
  asked = 0;
  await hour(node, MUCH);
  assert.ok(asked >= 1 && asked <= 2, `${asked} times in an hour`);
});

test('a mode that is chosen by hand while auto looks is left alone', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  node.looking = () => {
    node.chosen = 'function';
    return Promise.resolve();
  };
  await hour(node, MUCH);
  assert.deepEqual([node.switches, await kinds()], [[], []]);
});

test('a round that takes longer than its lease ends where another server has taken over', async (t) => {
  const { nodeOf, hour, kinds, store, clock } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  node.looking = async () => {
    const nowMs = clock.nowMs() + 11 * MINUTE_MS;
    clock.setWallMs(nowMs);
    assert.ok(await store.modes.lease({ app: 'shop', node: 'n2', nowMs, untilMs: nowMs + 10 * MINUTE_MS }));
  };
  await hour(node, MUCH);
  assert.deepEqual([node.switches, await kinds()], [[], []]);
});

test('who rests does not wait for code that is being looked at', async (t) => {
  const { nodeOf, hour } = await world(t);
  const node = nodeOf('n1');
  await node.modes.look();
  const asked = Promise.withResolvers<void>();
  node.looking = () => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const round = hour(node, MUCH);
  await asked.promise;
  await node.modes.rest();
  await round;
  assert.deepEqual(node.switches, []);
});

test('code that could not be looked at is not switched', async (t) => {
  const { nodeOf, hour, kinds } = await world(t);
  const node = nodeOf('n1');
  node.facts = { findings: null };
  await node.modes.look();
  for (let i = 0; i < 2; i++) await hour(node, MUCH);
  assert.deepEqual([node.switches, await kinds()], [[], ['blocked service']]);
});
