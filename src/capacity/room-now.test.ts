import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NO_LIMITS, type GroupSpec } from '../model/app.ts';
import type { Room } from '../model/capacity.ts';
import { costOf, roomNow, type RoomInput } from './room-now.ts';
import { HOUR_MS } from './forecast.ts';
import { hour, spec } from './testing/usage.ts';

const MB = 1024 ** 2;
const COST = { served: 1_000, workMs: 50, meanMs: 50, cpuMs: 20 };

function room(o: Partial<RoomInput> = {}): Room {
  const { spec: its = spec(), cost = COST } = o;
  const limits = its.kind === 'group' ? NO_LIMITS : its.limits;
  return roomNow({
    spec: its,
    mode: 'function',
    rps: 20,
    instances: 3,
    cost,
    components: [{ limits, cost }],
    freeMemoryBytes: 512 * MB,
    freeCores: 1.5,
    ...o,
  });
}

function boundsOf(o: Partial<RoomInput>): Record<string, number> {
  const found = room(o);
  assert.equal(found.kind, 'measured');
  return Object.fromEntries(
    found.kind === 'measured' ? found.bounds.map(({ name, rps }) => [name, rps]) : [],
  );
}

describe('room now', () => {
  it('does what the worked example says', () => {
    assert.deepEqual(room(), {
      kind: 'measured',
      mostRps: 95,
      moreRps: 75,
      boundedBy: 'cpu',
      bounds: [
        { name: 'cpu', rps: 95 },
        { name: 'memory', rps: 140 },
        { name: 'instances', rps: 200 },
        { name: 'core-each', rps: 500 },
      ],
    });
  });

  it('is bounded by memory only where fewer instances fit than there may be', () => {
    assert.equal(boundsOf({ freeMemoryBytes: 7 * 128 * MB })['memory'], undefined);
    assert.equal(boundsOf({ freeMemoryBytes: 7 * 128 * MB - 1 })['memory'], 9 * 20);
    assert.equal(boundsOf({ freeMemoryBytes: -MB })['memory'], 3 * 20);
  });

  it('is bounded by its own limits', () => {
    const limited = spec({ limits: { rps: 30, burst: 60, concurrency: 2 } });
    const bounds = boundsOf({ spec: limited });
    assert.deepEqual([bounds['rps'], bounds['concurrency']], [30, 40]);
    const found = room({ spec: limited, rps: 50 });
    assert.deepEqual(found.kind === 'measured' && [found.mostRps, found.moreRps, found.boundedBy], [
      30,
      0,
      'rps',
    ]);
  });

  it('of a service is by its replicas, each of whose code runs on one core', () => {
    const service = spec({ service: { maxReplicas: 2 } });
    const bounds = boundsOf({ spec: service, mode: 'service', instances: 2, freeCores: 100 });
    assert.equal(bounds['replicas'], 4_000);
    assert.equal(bounds['core-each'], 100);
    const command = spec({ kind: 'command', service: { maxReplicas: 2 } });
    assert.equal(boundsOf({ spec: command, mode: 'service', instances: 2 })['core-each'], undefined);
  });

  it('where no CPU time is known leaves CPU out', () => {
    assert.deepEqual(Object.keys(boundsOf({ cost: { ...COST, cpuMs: null } })), ['memory', 'instances']);
  });

  it('counts one place in a fresh instance', () => {
    assert.equal(boundsOf({ spec: spec({ function: { fresh: true, concurrency: 8 } }) })['instances'], 200);
  });

  it('is none where it is switched off, and unknown where nothing was measured', () => {
    assert.deepEqual(room({ spec: spec({ limits: { concurrency: 0 } }), cost: null }), { kind: 'off' });
    assert.deepEqual(room({ cost: null }), { kind: 'unmeasured' });
  });
});

describe('room of a group', () => {
  const group = { ...spec(), kind: 'group' } as unknown as GroupSpec;
  const quarter = { ...COST, served: 250, workMs: 20 };
  const rest = { ...COST, served: 750, workMs: 60 };

  it('is for all members together, each with its part of the requests', () => {
    const components = [
      { limits: { ...NO_LIMITS, rps: 30, concurrency: 1 }, cost: quarter },
      { limits: { ...NO_LIMITS, rps: 60 }, cost: rest },
    ];
    const bounds = boundsOf({ spec: group, components });
    // 60/s of three quarters allow 80/s, where 30/s of one quarter would allow 120/s; one of 20 ms at a time is 50/s, a quarter of 200/s.
    assert.deepEqual([bounds['rps'], bounds['concurrency']], [80, 200]);
    assert.equal(bounds['core-each'], 500, 'its code runs on one thread');
  });

  it('is not bounded by a member that nobody asked, or that is switched off', () => {
    const components = [
      { limits: { ...NO_LIMITS, rps: 1 }, cost: null },
      { limits: { ...NO_LIMITS, rps: 1, concurrency: 0 }, cost: quarter },
      { limits: NO_LIMITS, cost: rest },
    ];
    const bounds = boundsOf({ spec: group, components });
    assert.deepEqual([bounds['rps'], bounds['concurrency']], [undefined, undefined]);
    const off = components.map((one) => ({ ...one, limits: { ...NO_LIMITS, concurrency: 0 } }));
    assert.deepEqual(room({ spec: group, components: off }), { kind: 'off' });
  });
});

describe('what a request takes', () => {
  it('is a mean of what was served on the last day with usage', () => {
    const hours = [
      hour(0, 99, { durationMs: 1e12 }),
      hour(30 * HOUR_MS, 1, { count: 30, refused: 10, durationMs: 1_000, startMs: 200, cpuMs: 40 }),
    ];
    assert.deepEqual(costOf(hours), { served: 20, workMs: 60, meanMs: 50, cpuMs: 2 });
  });

  it('is unknown where nothing was served, and has no CPU time where none was counted', () => {
    assert.equal(costOf([]), null);
    assert.equal(costOf([hour(0, 1, { refused: 3_600 })]), null);
    assert.equal(costOf([hour(0, 1, { cpuMs: 0 })])!.cpuMs, null);
    assert.equal(costOf([hour(0, 1, { durationMs: 0 })])!.workMs, 0.001);
  });
});
