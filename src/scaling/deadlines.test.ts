import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../base/fake-clock.ts';
import { Deadline, Deadlines, STEP_MS } from './deadlines.ts';

class Probe extends Deadline {
  readonly deadlineMs: number;
  readonly #clock: FakeClock;
  expiredAtMs: number | null = null;
  constructor(clock: FakeClock, deadlineMs: number) {
    super();
    this.#clock = clock;
    this.deadlineMs = deadlineMs;
  }
  expire(): void {
    assert.equal(this.expiredAtMs, null);
    this.expiredAtMs = this.#clock.monotonicMs();
  }
}

describe('Deadlines', () => {
  it('fires each once, never early and at most a step late; what was removed never', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            atMs: fc
              .oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 1_300_000 }))
              .map((tenths) => tenths / 10),
            removed: fc.boolean(),
          }),
          {
            maxLength: 40,
          },
        ),
        async (wanted) => {
          const clock = new FakeClock();
          const deadlines = new Deadlines(clock);
          const probes = wanted.map(({ atMs, removed }) => ({ removed, probe: new Probe(clock, atMs) }));
          for (const { probe } of probes) deadlines.add(probe);
          for (const { removed, probe } of probes) {
            if (removed) deadlines.remove(probe);
          }
          await clock.advance(130_000 + STEP_MS);
          for (const { removed, probe } of probes) {
            if (removed) assert.equal(probe.expiredAtMs, null);
            else {
              const lateMs = probe.expiredAtMs! - probe.deadlineMs;
              assert.ok(lateMs >= 0 && lateMs <= STEP_MS, `${lateMs} ms late`);
            }
            deadlines.remove(probe);
          }
          assert.equal(clock.pending, 0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('needs one timer however many wait', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    for (let i = 0; i < 100; i++) deadlines.add(new Probe(clock, 100 + i));
    assert.equal(clock.pending, 1);
  });
});
