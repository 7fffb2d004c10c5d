import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuMeter } from './cpu-meter.ts';

test('CPU time is shared out among those that run, and idle time is nobody’s', () => {
  let micros = 500;
  const cpu = new CpuMeter(() => micros);
  const first = cpu.begin();
  micros += 100;
  const second = cpu.begin();
  micros += 60;
  assert.equal(cpu.end(first), 130);
  micros += 10;
  assert.equal(cpu.end(second), 40);
  micros += 1_000;
  const third = cpu.begin();
  micros += 5;
  assert.equal(cpu.end(third), 5);
});
