import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuMeter } from './cpu-meter.ts';

/** A meter whose turns the test ends. */
function metered() {
  let micros = 500;
  let reads = 0;
  let asked = 0;
  const cpu = new CpuMeter(
    () => void asked++,
    () => {
      reads++;
      return micros;
    },
  );
  return {
    cpu,
    spend: (more: number) => void (micros += more),
    get reads() {
      return reads;
    },
    get asked() {
      return asked;
    },
  };
}

test('a turn’s CPU time is shared by those that ran in it, and idle time is nobody’s', () => {
  const m = metered();
  const told: Record<string, number> = {};
  const first = m.cpu.begin();
  m.spend(100);
  m.cpu.settle();
  const second = m.cpu.begin();
  m.spend(60);
  m.cpu.end(first, (micros) => void (told['first'] = micros));
  m.cpu.settle();
  m.spend(10);
  m.cpu.end(second, (micros) => void (told['second'] = micros));
  m.cpu.settle();
  m.spend(1_000);
  const third = m.cpu.begin();
  m.spend(5);
  m.cpu.end(third, (micros) => void (told['third'] = micros));
  m.cpu.settle();
  assert.deepEqual(told, { first: 130, second: 40, third: 5 });
});

test('what begins and ends in one turn is charged its part of that turn', () => {
  const m = metered();
  const charged: number[] = [];
  for (let i = 0; i < 4; i++) {
    const mark = m.cpu.begin();
    m.spend(10);
    m.cpu.end(mark, (micros) => void charged.push(micros));
  }
  assert.deepEqual(charged, [], 'told at the end of the turn');
  m.cpu.settle();
  assert.deepEqual(charged, [10, 10, 10, 10]);
  assert.deepEqual([m.reads, m.asked], [2, 1]);
});
