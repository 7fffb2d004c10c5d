import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AutoUnit, HOUR_MS, type WindowLike } from '../testing/auto-windows.ts';

const SERVICE_CHEAPER = { function: 100, service: 10 };
const FUNCTION_CHEAPER = { function: 1, service: 10 };

test('it is switched once the excess is above what a switch costs', () => {
  // 90 a month too much is 0.123 an hour.
  const unit = new AutoUnit('function', { switchCost: 0.5 });
  assert.deepEqual(unit.through(5, SERVICE_CHEAPER), ['stay', 'stay', 'stay', 'stay', 'switch']);
  assert.equal(unit.mode, 'service');
});

test('what it saves now and then is taken off the excess', () => {
  const unit = new AutoUnit('function', { switchCost: 0.5 });
  unit.through(4, SERVICE_CHEAPER);
  unit.through(2, { function: 10, service: 100 });
  assert.deepEqual(unit.through(2, SERVICE_CHEAPER), ['stay', 'stay']);
});

test('after a switch nothing is switched for cost until the dwell is over', () => {
  const unit = new AutoUnit('function');
  unit.through(1, SERVICE_CHEAPER);
  assert.deepEqual(unit.through(5, FUNCTION_CHEAPER), ['stay', 'stay', 'stay', 'stay', 'stay']);
  assert.deepEqual(unit.through(1, FUNCTION_CHEAPER), ['switch']);
  assert.equal(unit.switches[1]!.atMs - unit.switches[0]!.atMs, 6 * HOUR_MS);
});

test('less than the least saving at the lower end of the band moves nothing', () => {
  const unit = new AutoUnit('function');
  assert.ok(unit.through(200, { function: 10, service: 9.1 }).every((kind) => kind === 'stay'));
  assert.ok(unit.through(200, { function: 10, service: 5, unsure: 0.45 }).every((kind) => kind === 'stay'));
  assert.deepEqual(unit.through(1, { function: 10, service: 5, unsure: 0.35 }), ['switch']);
});

test('few invocations move nothing until a day of them has come', () => {
  const unit = new AutoUnit('service');
  assert.ok(unit.through(23, { ...FUNCTION_CHEAPER, executed: 2 }).every((kind) => kind === 'stay'));
  assert.deepEqual(unit.through(1, { ...FUNCTION_CHEAPER, executed: 0 }), ['switch']);
  const other = new AutoUnit('service');
  assert.deepEqual(other.through(3, { ...FUNCTION_CHEAPER, executed: 20 }), ['stay', 'stay', 'switch']);
});

test('two windows over the objective make it a service, though that is dearer and it dwells', () => {
  const unit = new AutoUnit('service');
  unit.through(1, FUNCTION_CHEAPER);
  const late = {
    ...FUNCTION_CHEAPER,
    objectiveP99Ms: 200,
    p99Ms: { function: 150, service: 40 },
    measuredP99Ms: 300,
  };
  // Expected were 50 ms: that it is worse than predicted is seen first.
  assert.equal(unit.live(late).kind, 'switch');
  assert.equal(unit.switches[1]!.why, 'undo');

  const other = new AutoUnit('function');
  assert.deepEqual(other.through(2, late), ['stay', 'switch']);
  assert.equal(other.switches[0]!.why, 'objective');
});

test('a window within the objective between two over it begins the count anew, one without figures does not', () => {
  const unit = new AutoUnit('function');
  const asked = { ...FUNCTION_CHEAPER, objectiveP99Ms: 200, p99Ms: { function: 150, service: 40 } };
  const late = { ...asked, measuredP99Ms: 300 };
  assert.deepEqual(
    [unit.live(late), unit.live({ ...asked, measuredP99Ms: 100 }), unit.live(late)].map(({ kind }) => kind),
    ['stay', 'stay', 'stay'],
  );
  assert.equal(unit.live(late).kind, 'switch');
});

test('over the objective where a service would be as slow, it stays what it is', () => {
  const unit = new AutoUnit('function');
  const slow = { ...FUNCTION_CHEAPER, objectiveP99Ms: 200, p99Ms: { function: 400, service: 400 } };
  assert.ok(unit.through(10, slow).every((kind) => kind === 'stay'));
});

test('it is not switched for cost to a mode that would miss the objective', () => {
  const unit = new AutoUnit('service');
  const misses = { ...FUNCTION_CHEAPER, objectiveP99Ms: 200, meets: { function: 0.6, service: 1 } };
  assert.ok(unit.through(48, misses).every((kind) => kind === 'stay'));
});

test('a switch that costs 25 % more than predicted is undone at once, and the next dwell is twice as long', () => {
  const unit = new AutoUnit('function');
  unit.live(SERVICE_CHEAPER);
  assert.equal(unit.live({ ...SERVICE_CHEAPER, measuredPerMonth: 12.4 }).kind, 'stay');
  // 25 % worse than 10, and still better than what it was: that helps nobody.
  assert.equal(unit.live({ ...SERVICE_CHEAPER, measuredPerMonth: 50 }).kind, 'stay');
  const undone = unit.live({ ...SERVICE_CHEAPER, measuredPerMonth: 130 });
  assert.equal(undone.kind === 'switch' && undone.why, 'undo');
  assert.match(
    undone.kind === 'switch' ? undone.reason : '',
    /\$130\.00 a month, where \$10\.00 a month was expected and it was \$100\.00 a month as a function/,
  );
  const backMs = unit.nowMs;
  unit.through(11, SERVICE_CHEAPER);
  assert.equal(unit.mode, 'function');
  unit.live(SERVICE_CHEAPER);
  assert.equal(unit.mode, 'service');
  assert.equal(unit.nowMs - backMs, 12 * HOUR_MS);
});

test('a switch after which 99 % take 25 % longer than predicted, and than before, is undone', () => {
  const unit = new AutoUnit('service');
  unit.live({ ...FUNCTION_CHEAPER, p99Ms: { function: 80, service: 60 } });
  assert.equal(unit.mode, 'function');
  assert.equal(unit.live({ ...FUNCTION_CHEAPER, measuredP99Ms: 99 }).kind, 'stay');
  const undone = unit.live({ ...FUNCTION_CHEAPER, measuredP99Ms: 101 });
  assert.equal(undone.kind === 'switch' && undone.why, 'undo');
});

test('what is within the objective is not undone for its latency', () => {
  const unit = new AutoUnit('service');
  const asked = { ...FUNCTION_CHEAPER, p99Ms: { function: 80, service: 60 }, objectiveP99Ms: 500 };
  unit.live(asked);
  assert.equal(unit.mode, 'function');
  assert.equal(unit.live({ ...asked, measuredP99Ms: 400 }).kind, 'stay');
});

test('three times the traffic may cost three times as much', () => {
  const unit = new AutoUnit('service');
  unit.live(FUNCTION_CHEAPER);
  const busier = { function: 3, service: 30, executed: 3_000 };
  assert.equal(unit.live({ ...busier, measuredPerMonth: 3.5 }).kind, 'stay');
});

test('what is dearer by now because more comes was no mistake: it waits for its dwell', () => {
  const unit = new AutoUnit('service');
  unit.through(2, { function: 5, service: 10 });
  assert.equal(unit.mode, 'function');
  const busier = { function: 15, service: 10, executed: 3_000 };
  assert.equal(unit.live({ ...busier, measuredPerMonth: 15.5 }).kind, 'stay');
  assert.equal(unit.live({ ...busier, measuredPerMonth: 19 }).kind, 'switch');
});

test('a dwell that is as short as a window does not keep a switch from being judged', () => {
  const unit = new AutoUnit('function', { dwellMs: HOUR_MS });
  unit.live(SERVICE_CHEAPER);
  const undone = unit.live({ ...SERVICE_CHEAPER, measuredP99Ms: 1_000 });
  assert.equal(undone.kind === 'switch' && undone.why, 'undo');
});

test('a switch that proved itself is not undone later', () => {
  const unit = new AutoUnit('function');
  unit.live(SERVICE_CHEAPER);
  unit.through(6, SERVICE_CHEAPER);
  assert.equal(unit.memory!.phase.kind, 'settled');
  assert.equal(unit.live({ ...SERVICE_CHEAPER, measuredPerMonth: 130 }).kind, 'stay');
});

test('an obstacle blocks it, which is told once until the excess is gone', () => {
  const unit = new AutoUnit('function');
  const blocked = { ...SERVICE_CHEAPER, obstacles: { service: 'It keeps sessions in memory.' } };
  const first = unit.live(blocked);
  assert.equal(first.kind, 'blocked');
  assert.match(first.kind === 'blocked' ? first.reason : '', /^It cannot be a service: It keeps sessions/);
  assert.ok(unit.through(20, blocked).every((kind) => kind === 'stay'));
  unit.through(400, { function: 1, service: 10 });
  assert.equal(unit.memory!.excess, 0);
  assert.equal(unit.live(blocked).kind, 'blocked');
});

test('where it only tells, it tells once and stays', () => {
  const unit = new AutoUnit('function', { acts: false });
  assert.equal(unit.live(SERVICE_CHEAPER).kind, 'would-switch');
  assert.ok(unit.through(20, SERVICE_CHEAPER).every((kind) => kind === 'stay'));
  assert.equal(unit.mode, 'function');
});

test('what waited for its dwell and is no longer worth it is told to be kept', () => {
  const unit = new AutoUnit('function');
  unit.live(SERVICE_CHEAPER);
  unit.live(FUNCTION_CHEAPER);
  unit.live(FUNCTION_CHEAPER);
  assert.equal(unit.live(SERVICE_CHEAPER).kind, 'kept');
  assert.equal(unit.live(SERVICE_CHEAPER).kind, 'stay');
});

test('a switch that cannot be made is tried again, ever later', () => {
  const unit = new AutoUnit('function');
  unit.works = false;
  const tries = unit.through(20, SERVICE_CHEAPER).flatMap((kind, i) => (kind === 'switch' ? [i] : []));
  assert.deepEqual(tries, [0, 1, 3, 7, 13, 19]);
  unit.works = true;
  unit.through(6, SERVICE_CHEAPER);
  assert.equal(unit.mode, 'service');
  assert.equal(unit.memory!.failed, null);
});

test('a mode that somebody else has given it is begun with anew', () => {
  const unit = new AutoUnit('function');
  unit.live(SERVICE_CHEAPER);
  unit.mode = 'function';
  assert.equal(unit.live(FUNCTION_CHEAPER).kind, 'stay');
  assert.deepEqual(
    [unit.memory!.phase.kind, unit.memory!.dwellsUntilMs, unit.memory!.mode],
    ['settled', null, 'function'],
  );
});

test('what was undone for its latency is not tried again for the objective before the dwell is over', () => {
  const unit = new AutoUnit('function');
  // By replay a service would be faster; as one it is slower.
  const like = (): WindowLike => ({
    ...SERVICE_CHEAPER,
    function: 5,
    service: 10,
    objectiveP99Ms: 200,
    p99Ms: { function: 300, service: 40 },
    measuredP99Ms: unit.mode === 'service' ? 900 : 300,
  });
  for (let hour = 0; hour < 30 * 24; hour++) unit.live(like());
  const backs = unit.switches.filter(({ why }) => why === 'undo');
  assert.ok(backs.length >= 2 && backs.length <= 9, `${backs.length} times within 30 days`);
  const gaps = unit.switches.flatMap(({ atMs, to }, i) =>
    to === 'service' && i > 0 ? [atMs - unit.switches[i - 1]!.atMs] : [],
  );
  assert.ok(
    gaps.every((gap) => gap >= 12 * HOUR_MS),
    String(gaps),
  );
});

test('what was undone for its cost is a service at once where the objective asks for it', () => {
  const unit = new AutoUnit('function');
  unit.live(SERVICE_CHEAPER);
  assert.equal(unit.live({ ...SERVICE_CHEAPER, measuredPerMonth: 130 }).kind, 'switch');
  const late = { ...SERVICE_CHEAPER, objectiveP99Ms: 200, p99Ms: { function: 300, service: 40 } };
  assert.deepEqual(unit.through(2, late), ['stay', 'switch']);
  assert.equal(unit.switches.at(-1)!.why, 'objective');
});

test('a clock that was set back does not make it wait for what no dwell is as long as', () => {
  const unit = new AutoUnit('function');
  unit.nowMs += 365 * 24 * HOUR_MS;
  unit.live(SERVICE_CHEAPER);
  unit.nowMs -= 365 * 24 * HOUR_MS;
  const kinds = unit.through(8, FUNCTION_CHEAPER);
  assert.ok(kinds.includes('switch'), String(kinds));
  unit.works = false;
  unit.nowMs += 365 * 24 * HOUR_MS;
  unit.through(8, SERVICE_CHEAPER);
  unit.nowMs -= 365 * 24 * HOUR_MS;
  unit.works = true;
  assert.ok(unit.through(8, SERVICE_CHEAPER).includes('switch'));
});
