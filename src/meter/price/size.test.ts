import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import { sized, whyNotSold, type BillOptions, type Sized } from '../bill.ts';
import { openBook } from '../price-book.ts';
import { FROM_MS, GB, minuteAt, MONTH_MS, usedOf } from '../testing/used.ts';

const MINUTE_MS = 60_000;
const FARGATE = openBook('aws-fargate-x86');
const EC2 = openBook('aws-ec2');

function sizeOf(used: Used, book: PriceBook = FARGATE, options: BillOptions = {}): Sized {
  const size = sized(used, book, options);
  assert.ok(size);
  return size;
}

function service(load: Used['load'], memoryBytes = GB / 4): Used {
  const cpuMs = load.reduce((sum, minute) => sum + minute.cpuMs, 0);
  const wholeMs = load.reduce((sum, minute) => sum + minute.workMs, 0);
  return usedOf({ mode: 'service', load, cpuMs, wholeMs, memoryBytes, instances: { livedMs: 1 } });
}

test('nothing to do: one of the smallest, all the time', () => {
  const size = sizeOf(service([]));
  assert.deepEqual([size.name, size.units, size.unitMs], ['0.25 vCPU, 0.5 GB', 1, MONTH_MS]);
});

test('memory of the setting is always there', () => {
  assert.equal(sizeOf(service([], 3 * GB)).name, '0.5 vCPU, 3 GB');
  assert.equal(sizeOf(service([], 3.2 * GB)).name, '0.5 vCPU, 4 GB');
  assert.equal(sized(service([], 121 * GB), FARGATE), null);
  assert.match(
    whyNotSold(service([], 121 * GB), FARGATE)!,
    /nothing with the 121 GB of memory that catalog has/,
  );
});

test('CPU time of the busiest minute fills no replica by more than 70 %', () => {
  const busy = (vcpu: number): Used => service([minuteAt(3, { cpuMs: vcpu * MINUTE_MS, workMs: 1 })]);
  const enough = (size: Sized, vcpu: number): boolean =>
    size.units * Math.min(size.vcpu, 1) * 0.7 >= vcpu - 1e-9;
  for (const vcpu of [0.1, 0.17, 0.18, 0.7, 0.71, 1.4, 3.3]) {
    const size = sizeOf(busy(vcpu), FARGATE, { fixedReplicas: true });
    assert.ok(enough(size, vcpu), `${vcpu}: ${size.units} × ${size.name}`);
    assert.ok(!enough({ ...size, units: size.units - 1 }, vcpu), `${vcpu}: ${size.units} × ${size.name}`);
  }
});

test('a thread of JavaScript has no use for a second vCPU', () => {
  const used = service([minuteAt(0, { cpuMs: 1.3 * MINUTE_MS })], 16 * GB);
  // 16 GB are first sold with 2 vCPU.
  assert.deepEqual([sizeOf(used).vcpu, sizeOf(used).units], [2, 2]);
  assert.deepEqual(
    [sizeOf(used, FARGATE, { vcpus: 2 }).vcpu, sizeOf(used, FARGATE, { vcpus: 2 }).units],
    [2, 1],
  );
});

test('requests at a time, and the least replicas, are kept to', () => {
  const used = service([minuteAt(0, { busiest: 21, workMs: 1 })]);
  assert.equal(sizeOf(used).units, 1);
  assert.equal(sizeOf(used, FARGATE, { concurrency: 10 }).units, 3);
  assert.equal(sizeOf(used, FARGATE, { concurrency: 10, minReplicas: 5 }).units, 5);
});

test('follows the load, but no less than was lived; or stays at the peak', () => {
  const used = service([minuteAt(0, { busiest: 30 }), minuteAt(1, { busiest: 20 })]);
  const follows = sizeOf(used, FARGATE, { concurrency: 10 });
  assert.deepEqual([follows.units, follows.unitMs], [3, MONTH_MS + 3 * MINUTE_MS]);
  const lived = {
    ...used,
    instances: { ...used.instances, livedMs: 2 * MONTH_MS, heldByteMs: MONTH_MS * (GB / 2) },
  };
  assert.equal(sizeOf(lived, FARGATE, { concurrency: 10 }).unitMs, 2 * MONTH_MS);
  assert.equal(sizeOf(used, FARGATE, { concurrency: 10, fixedReplicas: true }).unitMs, 3 * MONTH_MS);
});

test('without minutes it is sized to the average, and says so', () => {
  const used = usedOf({ mode: 'service', cpuMs: 1.4 * MONTH_MS, wholeMs: MONTH_MS, memoryBytes: GB });
  const size = sizeOf(used, FARGATE);
  assert.ok(size.units * Math.min(1, size.vcpu) * 0.7 >= 1.4 - 1e-9);
  assert.ok(size.reasons.includes('no minutes are known: sized to the average'));
});

test('a machine holds as many replicas as its memory, less the system’s', () => {
  const used = service([], 0.75 * GB);
  // Two of 0.75 GB find room in 2 GB less a quarter, one in 1 GB.
  assert.deepEqual([sizeOf(used, EC2).name, sizeOf(used, EC2).units], ['t3.micro', 1]);
  const four = sizeOf(used, EC2, { minReplicas: 4 });
  assert.equal(four.machine!.perHour * four.units, 0.0416);
});

test('what lives on credits is sized to what it may use all day', () => {
  const day = Array.from({ length: 1440 }, (_, i) => minuteAt(i, { cpuMs: 0.5 * MINUTE_MS }));
  const stretch = { fromMs: FROM_MS, toMs: FROM_MS + 86_400_000 };
  const all = sizeOf({ ...service(day), ...stretch }, EC2);
  assert.ok(all.units * Math.min(1, all.machine!.sustainedVcpu) >= 0.5 - 1e-9, `${all.units} ${all.name}`);
  // An hour of the same is within a day's credits.
  const hour = sizeOf({ ...service(day.slice(0, 60)), ...stretch }, EC2);
  assert.deepEqual([hour.name, hour.units], ['t3.nano', 1]);
});

test('the reasons say how many, how large, and why', () => {
  const used = service([minuteAt(0, { busiest: 30 })]);
  const { reasons } = sizeOf(used, FARGATE, { concurrency: 10, minReplicas: 2 });
  assert.deepEqual(reasons, [
    'sized to 3 replicas of 0.25 vCPU, 0.5 GB at the peak, 2.0 on average as the load asks',
    'a replica has 0.25 GB of memory by its settings',
    'CPU time of a minute fills 70 % of a replica at most',
    'never fewer than 2 replicas',
  ]);
});
