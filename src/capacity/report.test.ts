import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_LIMITS, type GroupSpec, type ModuleSpec } from '../model/app.ts';
import type { CapacityReport } from '../model/capacity.ts';
import { joinedHours } from './demand.ts';
import { DAY_MS, HOUR_MS } from './forecast.ts';
import { capacityReport, withOthersCoarse, type CapacityInput } from './report.ts';
import { component, hour, machine, spec } from './testing/usage.ts';
import { FROM_MS } from './testing/synthetic.ts';

const MB = 1024 ** 2;
const DAYS = 20;
const NOW_MS = FROM_MS + DAYS * DAY_MS + 12_345;

/** The first day's level plus a part of it for every day. */
function growing(rps: number, perDay: number, days = DAYS) {
  return Array.from({ length: days * 24 }, (_, i) => {
    const level = rps * (1 + perDay * Math.floor(i / 24));
    return hour(FROM_MS + i * HOUR_MS, level * (i % 24 === 18 ? 2 : 1));
  });
}

function report(o: Partial<CapacityInput> = {}): CapacityReport {
  const making = capacityReport({
    app: 'shop',
    environment: 'production',
    nowMs: NOW_MS,
    machine: machine(),
    components: [component({ hours: growing(1, 0) })],
    ...o,
  });
  for (;;) {
    const step = making.next();
    if (step.done === true) return step.value;
  }
}

describe('a report of capacity', () => {
  it('counts what a group has once, and foretells each member’s limits', () => {
    const [checkout, inventory] = [growing(1, 0), growing(3, 0)];
    const members = [spec({ name: 'checkout' }), spec({ name: 'inventory' })] as ModuleSpec[];
    const group = { ...members[0]!, kind: 'group', name: 'core', members } as unknown as GroupSpec;
    const limited = (name: string, hours: typeof checkout, rps: number) => ({
      ...{ name, hours, present: null },
      limits: { ...NO_LIMITS, rps },
    });
    const { components, machine: found } = report({
      components: [
        component({
          spec: group,
          hours: joinedHours([checkout, inventory]),
          components: [limited('checkout', checkout, 100), limited('inventory', inventory, 5)],
        }),
      ],
    });
    const [core] = components;
    assert.deepEqual([core!.name, core!.members], ['core', ['checkout', 'inventory']]);
    assert.equal(core!.peak!.rps.value, 8, 'of both together');
    assert.deepEqual(
      core!.limits.map(({ name, component: whose, peak, reached }) => [name, whose, peak, reached.kind]),
      [
        ['instances', 'core', core!.limits[0]!.peak, 'none'],
        ['rps', 'inventory', 6, 'reached'],
        ['rps', 'checkout', 2, 'none'],
      ],
    );
    assert.equal(core!.first, 'rps');
    assert.equal(found.memory.now, 384 * MB);
    // A quarter of the requests is checkout's, and three quarters are inventory's, which is bounded to 5/s.
    const { room } = core!;
    const rps = room.kind === 'measured' ? room.bounds.find(({ name }) => name === 'rps')!.rps : 0;
    assert.ok(Math.abs(rps - 5 / 0.75) < 1e-9, String(rps));
  });

  it('foretells when the machine’s CPU is used up', () => {
    // 10/s at 20 ms are 0.2 cores, 0.4 at the busiest hour, 5 % of the first day's more each day: 2 cores at 18:00 of day 80.
    const { machine: found } = report({
      machine: machine({ cpuUsed: 0.4 }),
      components: [component({ hours: growing(10, 0.05) })],
    });
    assert.equal(found.cpu.others, 0);
    assert.ok(Math.abs(found.cpu.peak!.value - 0.78) < 1e-9);
    assert.equal(found.cpu.peak!.atMs, FROM_MS + (19 * 24 + 18) * HOUR_MS);
    const { reached } = found.cpu;
    assert.ok(reached.kind === 'expected');
    assert.ok(Math.abs(reached.expectedMs - (FROM_MS + (80 * 24 + 18) * HOUR_MS)) <= DAY_MS);
  });

  it('takes what other apps have as it is', () => {
    const { machine: found } = report({
      machine: machine({ memoryPromisedBytes: 1_024 * MB, cpuUsed: 1.4 }),
    });
    assert.equal(found.memory.others, 640 * MB);
    assert.equal(found.memory.now, 1_024 * MB);
    assert.ok(Math.abs(found.cpu.others - 1) < 1e-9);
    assert.ok(Math.abs(found.cpu.peak!.value - 1.04) < 1e-9);
    assert.equal(found.memory.peak!.value, (640 + 128) * MB);
  });

  it('says that memory is never reached where all components at their maximum fit', () => {
    const components = [component({ hours: growing(10, 1) })];
    assert.deepEqual(report({ components }).machine.memory.reached, { kind: 'fits' });
    const small = machine({ memoryBytes: 1_279 * MB });
    assert.notDeepEqual(report({ components, machine: small }).machine.memory.reached, { kind: 'fits' });
  });

  it('counts what a service always has, also before its first request', () => {
    const service = component({
      spec: spec({ name: 'front', service: { minReplicas: 2, maxReplicas: 4 } }),
      mode: 'service',
      hours: growing(1, 0).slice(240),
    });
    const { machine: found } = report({
      machine: machine({ memoryBytes: 100 * MB, memoryPromisedBytes: 384 * MB }),
      components: [
        component({ hours: growing(1, 0), now: { rps: 0, cpuCores: 0, instances: 0, memoryBytes: 0 } }),
        service,
      ],
    });
    assert.equal(found.memory.peak!.value, (128 + 512) * MB);
    assert.equal(found.memory.peak!.atMs, FROM_MS, 'from the first hour on');
  });

  it('foretells each limit of a component, and says which comes first', () => {
    const limited = spec({
      function: { maxInstances: 12 },
      limits: { rps: 60, burst: 60, concurrency: 1_000 },
    });
    const [one] = report({ components: [component({ spec: limited, hours: growing(10, 0.05) })] }).components;
    assert.deepEqual(
      one!.limits.map(({ name, limit }) => [name, limit]),
      [
        ['instances', 12],
        ['rps', 60],
        ['concurrency', 1_000],
      ],
    );
    assert.equal(one!.limits[0]!.reached.kind, 'expected');
    assert.equal(one!.first, 'rps');
    // 20/s at 18:00 of the first day, and one more each day.
    const { reached } = one!.limits[1]!;
    assert.ok(reached.kind === 'expected');
    assert.ok(Math.abs(reached.expectedMs - (FROM_MS + (40 * 24 + 18) * HOUR_MS)) <= DAY_MS);
  });

  it('tells what the peak needed in both modes, by what was counted where that is known', () => {
    const counted = component({
      hours: growing(100, 0),
      peakConcurrency: 25,
      spec: spec({ function: { maxInstances: 20 } }),
    });
    const [one] = report({ components: [counted] }).components;
    assert.equal(one!.peak!.rps.value, 200);
    assert.deepEqual(one!.peak!.concurrency, { value: 25, atMs: FROM_MS + 18 * HOUR_MS });
    assert.equal(one!.peak!.concurrencyFrom, 'arrivals');
    assert.deepEqual(one!.peak!.instances, { function: 25, service: 6 });
    assert.equal(one!.peak!.memoryBytes.value, 20 * 128 * MB);
    const [mean] = report({ components: [{ ...counted, peakConcurrency: null }] }).components;
    assert.deepEqual([mean!.peak!.concurrencyFrom, mean!.peak!.concurrency.value], ['mean', 10]);
  });

  it('with two days of usage gives the peaks and the room, and foretells nothing', () => {
    const hours = growing(10, 0.05).slice(18 * 24);
    const { usage, machine: found, components } = report({ components: [component({ hours })] });
    assert.equal(usage.days, 2);
    assert.deepEqual(found.cpu.reached, { kind: 'unknown' });
    assert.ok(found.cpu.peak !== null);
    assert.equal(components[0]!.first, null);
    assert.equal(components[0]!.room.kind, 'measured');
  });

  it('without any usage is whole all the same', () => {
    const { usage, machine: found, components } = report({ components: [component()] });
    assert.deepEqual([usage.fromMs, usage.days, usage.outageHours], [null, 0, 0]);
    assert.deepEqual([found.cpu.peak, found.cpu.reached], [null, { kind: 'unknown' }]);
    assert.equal(components[0]!.peak, null);
    assert.deepEqual(components[0]!.room, { kind: 'unmeasured' });
    assert.deepEqual(report({ components: [] }).components, []);
  });

  it('leaves an outage and the hour that is not over out', () => {
    const hours = growing(10, 0).filter((_, i) => i < 200 || i >= 206);
    const present = hour(FROM_MS + DAYS * DAY_MS, 10_000);
    const { usage, components } = report({ components: [component({ hours: [...hours, present] })] });
    assert.equal(usage.outageHours, 6);
    assert.equal(components[0]!.peak!.rps.value, 20);
  });
});

describe('for whoever may know of one app only', () => {
  const components = [component(), component({ spec: spec({ name: 'front' }) })];
  // Of both together: 768 MB and 0.8 cores.
  const told = (promisedMb: number, cpuUsed: number) =>
    withOthersCoarse(
      machine({ memoryBytes: 2_000 * MB, memoryPromisedBytes: promisedMb * MB, cpus: 2, cpuUsed }),
      components,
    );

  it('what others have is rounded up to 5 % of the machine', () => {
    const { memoryBytes, memoryPromisedBytes, cpus, cpuUsed } = told(768 + 101, 0.81);
    assert.deepEqual([memoryBytes, memoryPromisedBytes, cpus], [2_000 * MB, (768 + 200) * MB, 2]);
    assert.ok(Math.abs(cpuUsed - 0.9) < 1e-9);
    assert.deepEqual(told(768 + 199, 0.89), told(768 + 101, 0.81), 'one cannot be told from the other');
  });

  it('its own is told exactly, and nothing where there are no others', () => {
    assert.deepEqual([told(768, 0.8).memoryPromisedBytes, told(768, 0.8).cpuUsed], [768 * MB, 0.8]);
    // Counted at different moments: less in all than its own.
    assert.equal(told(700, 0).memoryPromisedBytes, 768 * MB);
  });

  it('no part of a report has what others use', () => {
    const of = (promisedMb: number, cpuUsed: number): CapacityReport =>
      report({
        machine: told(promisedMb, cpuUsed),
        components: components.map((one) => ({ ...one, hours: growing(1, 0.1) })),
      });
    assert.deepEqual(of(768 + 101, 0.81), of(768 + 199, 0.89));
  });
});
