import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import type { AppSpec, Mode, Route } from '../model/app.ts';
import type { CallEdge } from '../model/calls.ts';
import type { ModeFinding } from '../model/mode-check.ts';
import type { ModuleRevision, Revision } from '../model/revision.ts';
import { DEFAULT_RETRY } from '../model/work-settings.ts';
import { group, revision } from '../scaling/testing/scene.ts';
import { DEFAULT_ADVISOR } from '../config/defaults.ts';
import { AppFacts, callsOf, type KnownApp } from './app-facts.ts';

const edge = (from: string, to: string, o: Partial<CallEdge> = {}): CallEdge => ({
  ...{
    from,
    to,
    function: null,
    count: 10,
    perSecond: 1,
    failed: 0,
    inProcess: 0,
    p50Ms: 5,
    p95Ms: 9,
    p99Ms: 9,
  },
  ...o,
});

const ROUTE: Route = { host: null, path: '/', stripPrefix: false, bodyLimitBytes: 1 };

const finding = (rule: string): ModeFinding => ({ rule, severity: 'note' }) as ModeFinding;

interface Given {
  readonly units: readonly Revision[];
  readonly objectiveMs?: number;
  /** By the mode in which it would break. */
  readonly found?: Readonly<Record<Mode, readonly ModeFinding[]>>;
  readonly calls?: readonly CallEdge[];
  readonly sockets?: Readonly<Record<string, boolean>>;
  /** Units of which nothing runs. */
  readonly leaving?: readonly string[];
  readonly clock?: FakeClock;
  readonly check?: KnownApp['checks']['check'];
}

function facts(given: Given): AppFacts {
  const { units, found, calls = [], sockets = {}, objectiveMs, leaving = [] } = given;
  const modules = units.flatMap((one) => (one.kind === 'group' ? one.members : [one as ModuleRevision]));
  const unitOf = (name: string): string =>
    units.find((one) => one.kind === 'group' && one.members.some((member) => member.spec.name === name))?.spec
      .name ?? name;
  const groups = units.flatMap((one) => (one.kind === 'group' ? [[one.spec.name, one.spec] as const] : []));
  const spec = {
    directory: '/app',
    components: new Map(modules.map((one) => [one.spec.name, one.spec])),
    groups: new Map(groups),
    advisor: { ...DEFAULT_ADVISOR, objective: { p99Ms: objectiveMs ?? null } },
  } as unknown as AppSpec;
  const status = units
    .filter((one) => !leaving.includes(one.spec.name))
    .map((one) => ({ name: one.spec.name, mode: 'service', modeSetting: 'auto' }));
  const app = {
    serving: {
      spec,
      scaler: { status: () => status },
      unitOf,
      revision: (name: string) => units.find((one) => one.spec.name === name)!,
    },
    checks: {
      check:
        given.check ??
        (async (_revision: Revision, from: Mode, to: Mode) => ({
          ...{ component: '', from, to },
          findings: found?.[to] ?? [],
        })),
    },
    callGraph: () => ({ windowMs: 1, edges: calls }),
  } as unknown as KnownApp;
  return new AppFacts({
    app,
    clock: given.clock ?? new FakeClock(),
    starts: {
      startsMs: () => ({ function: [7], service: [] }),
      modeSinceMs: (_unit, mode) => (mode === 'service' ? 5 : 0),
      takesSockets: (_unit, name) => sockets[name] ?? null,
    },
    changes: { refresh: async () => undefined, of: (specs) => ({ count: specs.length, days: 28 }) },
  });
}

const cart = (changes: object = {}): ModuleRevision => {
  const one = revision('cart');
  return { ...one, spec: { ...one.spec, ...changes } };
};

describe('what is known of an app’s units', () => {
  it('is what the config says of each and what it does at present', async () => {
    const spec = {
      routes: [{}, {}],
      subscription: { types: ['order.paid'] },
      schedules: [
        {
          name: 'a',
          when: { kind: 'cron', cron: '0 2 * * *', timeZone: 'Europe/Berlin' },
          retry: DEFAULT_RETRY,
        },
        { name: 'b', when: { kind: 'every', everyMs: 1, text: '@every 30s' } },
        { name: 'c', when: { kind: 'at', atMs: 0 } },
      ],
      storage: ['/app/data/cart'],
      objective: { p99Ms: 300 },
    };
    const [found] = await facts({ units: [cart(spec)], objectiveMs: 100, sockets: { cart: false } }).all();
    const { function: _, service: __, ...rest } = found!;
    assert.deepEqual(rest, {
      unit: 'cart',
      members: ['cart'],
      kind: 'module',
      modeSetting: 'auto',
      mode: 'service',
      modeSinceMs: 5,
      objective: { p99Ms: 300 },
      triggers: {
        routes: 2,
        events: ['order.paid'],
        schedules: ['0 2 * * * (Europe/Berlin)', '@every 30s', '1970-01-01T00:00:00.000Z'],
        callers: [],
      },
      sockets: false,
      storage: ['data/cart'],
      findings: { function: [], service: [] },
      deploys: { count: 1, days: 28 },
      calls: [],
      startsMs: { function: [7], service: [] },
    });
  });

  it('is of a group as a whole, with what its members have', async () => {
    const mail = revision('mail');
    const unit = group('core', [
      cart({ routes: [{}] }),
      { ...mail, spec: { ...mail.spec, routes: [ROUTE] } },
    ]);
    const other = revision('web');
    const known = facts({
      units: [unit, other],
      sockets: { cart: false, mail: true, web: false },
      calls: [edge('web', 'cart'), edge('cart', 'mail')],
      objectiveMs: 100,
    });
    const [core, web] = await known.all();
    assert.deepEqual([core!.members, core!.kind, core!.sockets], [['cart', 'mail'], 'group', true]);
    assert.deepEqual([core!.triggers.routes, core!.triggers.callers], [2, ['web']]);
    assert.deepEqual(core!.objective, { p99Ms: 100 });
    assert.equal(core!.deploys.count, 2);
    assert.deepEqual(
      core!.calls.map((call) => [call.direction, call.with]),
      [['in', 'web']],
    );
    assert.deepEqual(
      web!.calls.map((call) => [call.direction, call.with, call.mode]),
      [['out', 'cart', 'service']],
    );
    assert.deepEqual((await known.of('web'))?.unit, 'web');
    assert.equal(await known.of('cart'), null);
  });

  it('is of those alone that may call it', async () => {
    const web = revision('web');
    const mail = revision('mail');
    const units = [
      cart(),
      { ...web, spec: { ...web.spec, calls: ['cart'] } },
      { ...mail, spec: { ...mail.spec, calls: [] } },
    ];
    assert.deepEqual((await facts({ units }).of('cart'))?.triggers.callers, ['web']);
  });

  it('has findings by the mode in which they count, and none where the code could not be read', async () => {
    const found = { function: [finding('timer')], service: [finding('process-env')] };
    assert.deepEqual((await facts({ units: [cart()], found }).of('cart'))?.findings, found);
    const unseen = { function: [finding('not-checked')], service: [] };
    assert.equal((await facts({ units: [cart()], found: unseen }).of('cart'))?.findings, null);
    const legacy = cart({ kind: 'command' });
    assert.deepEqual((await facts({ units: [legacy], found: unseen }).of('cart'))?.findings, unseen);
  });

  it('does not wait for ever for code to be looked at', async () => {
    const clock = new FakeClock();
    const never = facts({
      units: [cart(), revision('web')],
      clock,
      check: () => new Promise(() => undefined),
    });
    const asked = never.all();
    await clock.advance(0);
    await clock.advance(44_999);
    assert.equal(await Promise.race([asked, Promise.resolve('waits')]), 'waits');
    await clock.advance(1);
    assert.deepEqual(
      (await asked).map(({ unit, findings }) => [unit, findings]),
      [
        ['cart', null],
        ['web', null],
      ],
    );
  });

  it('leaves out what a deploy takes away, and is not there before anything serves', async () => {
    const known = facts({ units: [cart(), revision('web')], leaving: ['cart'] });
    assert.deepEqual(
      (await known.all()).map(({ unit }) => unit),
      ['web'],
    );
    const none = new AppFacts({
      app: { serving: null } as KnownApp,
      clock: new FakeClock(),
      starts: null as never,
      changes: { refresh: async () => undefined, of: () => ({ count: 0, days: 0 }) },
    });
    await assert.rejects(none.all(), { code: 'shutting-down' });
  });
});

describe('the calls of a unit', () => {
  it('are those with others, of all functions together', () => {
    const edges = [
      edge('cart', 'mail', { function: 'send', count: 30, perSecond: 3, p50Ms: 10 }),
      edge('cart', 'mail', { function: 'check', count: 10, perSecond: 1, p50Ms: 2, inProcess: 8 }),
      edge('mail', 'cart', { perSecond: 2 }),
      edge('mail', 'web'),
      edge('cart', '*'),
      edge('gone', 'cart'),
    ];
    const modes: Readonly<Record<string, Mode>> = { mail: 'service', web: 'function' };
    assert.deepEqual(
      callsOf(edges, ['cart'], (name) => modes[name] ?? null),
      [
        { with: 'mail', direction: 'out', perSecond: 4, p50Ms: 8, joined: 0.2, mode: 'service' },
        { with: 'mail', direction: 'in', perSecond: 2, p50Ms: 5, joined: 0, mode: 'service' },
      ],
    );
  });
});
