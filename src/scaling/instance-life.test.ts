import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InstanceLife, type LifePiece } from './instance-life.ts';

describe('InstanceLife', () => {
  it('begins once, and knows nothing of its memory that nobody has looked at', () => {
    const life = new InstanceLife(1_000);
    assert.deepEqual(life.piece(1_400), {
      fromMs: 1_000,
      lastsMs: 400,
      begins: true,
      usedBytes: null,
      cpuMs: 0,
    });
    life.saw({ memoryBytes: 100, cpuMs: 30 });
    life.saw({ memoryBytes: 300, cpuMs: 40 });
    assert.deepEqual(life.piece(2_000), {
      fromMs: 1_400,
      lastsMs: 600,
      begins: false,
      usedBytes: 200,
      cpuMs: 40,
    });
    assert.deepEqual(life.end(2_000, undefined, 1), {
      fromMs: 2_000,
      lastsMs: 0,
      begins: false,
      usedBytes: null,
      cpuMs: 0,
    });
  });

  it('adds what invocations have used since the last look, and only since then', () => {
    const life = new InstanceLife(0);
    life.worked(5, life.begun());
    assert.equal(life.piece(10).cpuMs, 5);
    life.saw({ memoryBytes: 1, cpuMs: 45 });
    life.worked(7, life.begun());
    assert.equal(life.piece(20).cpuMs, 47);
    // What the process says is less than what was told: rounding, which a later look makes up for.
    life.saw({ memoryBytes: 1, cpuMs: 50 });
    assert.equal(life.piece(30).cpuMs, 0);
    life.saw({ memoryBytes: 1, cpuMs: 60 });
    assert.equal(life.end(40, undefined, 1).cpuMs, 8);
  });

  it('believes its end where that tells more, but no more than the processors could do', () => {
    const told = (cpuMs: number | undefined): number => {
      const life = new InstanceLife(0);
      life.worked(5, life.begun());
      return life.end(100, cpuMs, 2).cpuMs;
    };
    assert.deepEqual([undefined, 3, 33, 1e15].map(told), [5, 5, 33, 200]);
  });

  it('counts what a look has seen of an invocation on its way only once', () => {
    const life = new InstanceLife(0);
    const begun = life.begun();
    life.saw({ memoryBytes: 1, cpuMs: 50_000 });
    assert.equal(life.piece(50_000).cpuMs, 50_000);
    life.worked(60_000, begun);
    assert.equal(life.end(60_000, 60_000, 1).cpuMs, 10_000);
  });

  it('never counts more than its process has used, however looks fall on what it works at', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('begin' as const), ms: fc.constant(0) }),
      fc.record({ kind: fc.constant('end' as const), ms: fc.nat(3) }),
      fc.record({ kind: fc.constant('burn' as const), ms: fc.nat(500) }),
      fc.record({ kind: fc.constant('look' as const), ms: fc.constant(0) }),
      fc.record({ kind: fc.constant('tell' as const), ms: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const life = new InstanceLife(0);
        let running: { begun: number; cpuMs: number }[] = [];
        let [usedMs, toldMs] = [0, 0];
        for (const { kind, ms } of steps) {
          if (kind === 'begin') running.push({ begun: life.begun(), cpuMs: 0 });
          if (kind === 'look') life.saw({ memoryBytes: 1, cpuMs: usedMs });
          if (kind === 'tell') toldMs += life.piece(0).cpuMs;
          if (kind === 'burn') {
            // What runs beside each other shares it.
            usedMs += ms;
            running = running.map((one) => ({ ...one, cpuMs: one.cpuMs + ms / running.length }));
          }
          const [ended] = kind === 'end' ? running.splice(ms, 1) : [];
          if (ended !== undefined) life.worked(ended.cpuMs, ended.begun);
          assert.ok(toldMs <= usedMs + 1e-6, `${toldMs} of ${usedMs} ms`);
        }
        toldMs += life.end(1_000_000, usedMs, 1).cpuMs;
        assert.ok(Math.abs(toldMs - usedMs) < 1e-6, `${toldMs} of ${usedMs} ms`);
      }),
      { seed: 10, numRuns: 500 },
    );
  });

  it('is told in pieces that are neither apart nor over each other, with all of its CPU time', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(20_000) }),
      fc.record({ kind: fc.constant('work' as const), ms: fc.nat(500) }),
      fc.record({ kind: fc.constant('look' as const), ms: fc.nat(100) }),
      fc.record({ kind: fc.constant('tell' as const), ms: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(1_000), (steps, restMs) => {
        const life = new InstanceLife(500);
        const pieces: LifePiece[] = [];
        let [nowMs, usedMs] = [500, 0];
        for (const { kind, ms } of steps) {
          if (kind === 'pass') nowMs += ms;
          if (kind === 'tell') pieces.push(life.piece(nowMs));
          if (kind === 'work') {
            usedMs += ms;
            life.worked(ms, life.begun());
          }
          // Work beside invocations, seen by a look.
          if (kind === 'look') life.saw({ memoryBytes: 7, cpuMs: (usedMs += ms) });
        }
        pieces.push(life.end(nowMs, usedMs + restMs, 1_000_000));
        const whole = nowMs > 500 ? usedMs + restMs : usedMs;
        assert.equal(
          pieces.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
          whole,
        );
        let atMs = 500;
        for (const [i, { fromMs, lastsMs, begins, usedBytes }] of pieces.entries()) {
          assert.deepEqual([fromMs, begins], [atMs, i === 0]);
          assert.ok(usedBytes === null || usedBytes === 7);
          atMs += lastsMs;
        }
        assert.equal(atMs, nowMs);
      }),
      { seed: 10, numRuns: 300 },
    );
  });
});
