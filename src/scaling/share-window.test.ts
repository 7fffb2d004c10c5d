import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { WaitingWork } from '../model/work-window.ts';
import { promiseOf, shareOf } from './share-window.ts';
import { Scene, group, revision } from './testing/scene.ts';

const work = (waiting: number, underWay = 0): WaitingWork => ({ waiting, underWay, oldestMs: 0 });

describe('shareOf', () => {
  it('gives one that is alone, or alone has work, all of it', () => {
    assert.equal(shareOf(32, []), 32);
    assert.equal(shareOf(32, [{ work: work(0), promised: 0 }]), 32);
  });

  it('gives what another does not want, and keeps what it was promised or has under way', () => {
    assert.equal(shareOf(32, [{ work: work(100), promised: 16 }]), 16);
    assert.equal(shareOf(32, [{ work: work(3), promised: 3 }]), 29);
    assert.equal(shareOf(32, [{ work: work(100, 30), promised: 16 }]), 2);
    assert.equal(shareOf(32, [{ work: work(100), promised: 32 }]), 1, 'none stands still');
  });

  it('promises nobody more than there is work for', () => {
    assert.equal(promiseOf(16, work(3, 1)), 4);
    assert.equal(promiseOf(2, work(9, 5)), 5);
  });
});

/** Two pumps and more, each of which begins as many as it may whenever it asks. */
class Pump {
  waiting = 0;
  underWay = 0;

  ask(scene: Scene, name: string): number {
    const window = scene.scaler.workWindow(name, {
      waiting: this.waiting,
      underWay: this.underWay,
      oldestMs: 2_000,
    });
    const begins = Math.min(this.waiting, Math.max(0, window - this.underWay));
    this.waiting -= begins;
    this.underWay += begins;
    return window;
  }
}

const NAMES = ['a', 'b', 'c'] as const;

describe('the pumps of a group’s members', () => {
  const move = fc.record({
    who: fc.nat(2),
    comes: fc.integer({ min: 0, max: 40 }),
    ends: fc.integer({ min: 0, max: 40 }),
    passMs: fc.constantFrom(0, 0, 200, 1_100),
  });

  it('never have more under way together than the group may, but for one each, and all of it gets done', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 60 }), async (moves) => {
        const concurrency = 40;
        const members = NAMES.map((name) => revision(name, { mode: 'service', service: { concurrency } }));
        const scene = await Scene.of(group('core', members));
        const pumps = NAMES.map(() => new Pump());
        const sum = (): number => pumps.reduce((all, { underWay }) => all + underWay, 0);
        for (const { who, comes, ends, passMs } of moves) {
          if (passMs > 0) await scene.pass(passMs);
          const pump = pumps[who]!;
          pump.waiting += comes;
          pump.underWay -= Math.min(pump.underWay, ends);
          // A pump asks at least each second while it has work.
          for (const [i, one] of pumps.entries()) if (passMs > 1_000 || i === who) one.ask(scene, NAMES[i]!);
          assert.ok(sum() <= concurrency / 2 + NAMES.length - 1, `${sum()} are under way`);
        }
        for (let round = 0; pumps.some(({ waiting, underWay }) => waiting + underWay > 0); round++) {
          assert.ok(round < 1_000, 'it comes to an end');
          for (const [i, pump] of pumps.entries()) {
            pump.underWay = 0;
            pump.ask(scene, NAMES[i]!);
          }
        }
      }),
      { numRuns: process.env['FULCRUM_FULL'] === '1' ? 1_000 : 100 },
    );
  });

  it('come to equal parts where all have more than enough to do', async () => {
    const members = NAMES.map((name) => revision(name, { mode: 'service', service: { concurrency: 60 } }));
    const scene = await Scene.of(group('core', members));
    const pumps = NAMES.map(() => new Pump());
    let windows: number[] = [];
    for (const pump of pumps) pump.waiting = 10_000;
    for (let round = 0; round < 10; round++) {
      windows = pumps.map((pump, i) => {
        pump.underWay = Math.max(0, pump.underWay - 5);
        return pump.ask(scene, NAMES[i]!);
      });
    }
    assert.deepEqual(windows, [10, 10, 10]);
  });

  it('count as what one group of functions has waiting, and as nothing of one that is switched off', async () => {
    const scene = await Scene.of(
      group(
        'core',
        NAMES.map((name) => revision(name)),
      ),
    );
    const waiting = (name: string, count: number): number =>
      scene.scaler.workWindow(name, { waiting: count, oldestMs: 5_000, underWay: 0 });
    assert.equal(waiting('a', 100), 32);
    scene.limits.choose('b', { rps: null, burst: null, perClient: null, concurrency: 0 });
    assert.equal(waiting('b', 100), 0);
    assert.equal(waiting('a', 100), 32);
    scene.limits.choose('b', { rps: null, burst: null, perClient: null, concurrency: 3 });
    waiting('a', 100);
    assert.ok(waiting('b', 100) <= 3);
    void scene.send('b', 10, { trigger: 'event' });
    await scene.pass(100);
    assert.match(scene.story.join('\n'), /with a backlog of 200 /);
  });
});
