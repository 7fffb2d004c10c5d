import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  erlangB,
  erlangC,
  erlangChecks,
  halfInterval95,
  meanOf,
  poissonFor,
  poolFigures,
  serviceCase,
} from '../bench/simulator-cases.ts';
import { simulate } from '../src/advisor/simulator/simulate.ts';

test("Erlang's formulas give their textbook values", () => {
  const near = (found: number, expected: number): void => assert.ok(Math.abs(found - expected) < 5e-5);
  near(erlangC(2, 1), 1 / 3);
  near(erlangC(3, 2), 4 / 9);
  near(erlangB(3, 2), 0.2105);
});

test('who waits and who is turned away is what Erlang says, within the 95 % interval of ten runs', () => {
  for (const { name, expected, found } of erlangChecks(60_000)) {
    const off = Math.abs(meanOf(found) - expected);
    assert.ok(off <= halfInterval95(found), `${name}: ${meanOf(found)}, expected ${expected}`);
    assert.ok(halfInterval95(found) < 0.02 * expected, `${name}: the interval is narrow enough to tell`);
  }
});

test("SimFaaS' case comes out within its published interval", () => {
  const figures = poolFigures({
    spanMs: 1e9,
    perSecond: 0.9,
    durationMs: 1_991,
    keepAliveMs: 600_000,
    seed: 1,
  });
  const within = (value: number, least: number, most: number): void =>
    assert.ok(value >= least && value <= most, `${value} is not between ${least} and ${most}`);
  within(figures.coldShare, 0.0013, 0.00145);
  within(figures.instances, 7.6, 7.8);
  within(figures.busy, 1.78, 1.8);
});

test('at low rates as many starts are cold as exponential pauses are longer than the keep-alive', () => {
  const { coldShare } = poolFigures({
    spanMs: 2e10,
    perSecond: 0.002,
    durationMs: 100,
    keepAliveMs: 600_000,
    seed: 2,
  });
  assert.ok(Math.abs(coldShare / Math.exp(-1.2) - 1) < 0.05, String(coldShare));
});

test('one processor shared by all takes 1 / (1 − load) times as long, whatever the distribution', () => {
  // M/G/1 with processor sharing: the mean time is that of M/M/1 with the same load.
  const bound = { ...serviceCase(1), settings: { ...serviceCase(1).settings, concurrency: 10_000 } };
  const traffic = poissonFor(100 * 200_000, 100, 60, 3);
  const computing = { ...traffic, cpuMs: traffic.durationMs };
  const { minutes, used } = simulate(computing, bound, 1);
  assert.equal(used.refused, 0);
  // Busy as long as there is work: what it does is neither lost nor done twice.
  const busy = meanOf(minutes.map((minute) => minute.busy));
  assert.ok(Math.abs(busy / 0.6 - 1) < 0.02, String(busy));
  assert.ok(
    Math.abs(used.wholeMs / used.executed - 0.5 - 60 / 0.4) < 4,
    String(used.wholeMs / used.executed),
  );
});
