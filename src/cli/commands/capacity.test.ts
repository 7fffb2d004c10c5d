import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { capacityReport, componentCapacity, NOW_MS } from '../../control/fixtures/capacity-report.ts';
import type { FakePort } from '../../control/fixtures/fake-port.ts';
import type { CapacityReport, Reach } from '../../model/capacity.ts';
import { capacityLines } from '../capacity-lines.ts';
import { World } from '../fixtures/run-cli.ts';

const DAY_MS = 86_400_000;

function cpu(reached: Reach): CapacityReport {
  const { machine } = capacityReport();
  return capacityReport({ machine: { ...machine, cpu: { ...machine.cpu, reached } }, components: [] });
}

/** The words of CPU's row, and what the notes say of it. */
function toldOf(reached: Reach): { row: string; note: string } {
  const lines = capacityLines(cpu(reached), 200);
  return {
    row: lines
      .find((line) => line.startsWith('cpu'))!
      .split(/ {2,}/)
      .at(-1)!,
    note: lines.find((line) => line.includes("machine's CPU")) ?? '',
  };
}

describe('fulcrum capacity', () => {
  let world: World;
  let port: FakePort;

  before(async () => {
    world = await World.make();
    ({ port } = await world.serve('shop'));
  });
  after(() => world.end());

  test('fits 80 columns and shows what a person decides by', async () => {
    const ran = await world.run(['capacity', '--days', '21']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(port.asked, [{ capacity: 21, reader: 'server' }]);
    const lines = ran.stdout.split('\n').slice(0, -1);
    for (const line of lines) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
    assert.equal(lines[0], 'shop · production · 21 days of usage');
    assert.match(lines[2]!, /^MACHINE +NOW +PEAK +AT +LIMIT +REACHED$/);
    assert.match(lines[3]!, /^memory +1\.2 GB +3\.9 GB +14 Nov \d\d:00 +21 GB +not within a year$/);
    assert.match(lines[4]!, /^cpu +0\.42 +1\.9 +14 Nov \d\d:00 +2 cores +12 Jan \(5 Dec – 2 Feb\)$/);
    assert.match(lines[6]!, /^COMPONENT +REQ\/S +PEAK +NEEDED +ROOM FOR +BOUNDED BY +FIRST LIMIT +REACHED$/);
    assert.match(lines[7]!, /^catalog +12 +140 +9 +340 more +cpu +max 100 +1 Mar$/);
    assert.match(lines[8]!, /^storefront +12 +140 +2 +340 more +cpu +replicas 2 +now$/);
    assert.match(lines[9]!, /^a-comp.*… .* rps 1,000 +perhaps$/);
    assert.match(lines[10]!, /^legacy .* none +switched off +- +-$/);
    assert.match(lines[11]!, /^report +0 +- +- +\? +- +- +-$/);
    assert.ok(!ran.stdout.includes('\u001B'), 'no colours into a pipe');
  });

  test('on a wide terminal has modes too', async () => {
    const ran = await world.run(['capacity'], { env: { COLUMNS: '130' } });
    assert.match(ran.stdout, /^storefront +service /m);
    assert.match(ran.stdout, /^a-component-with-a-very-long-name-indeed +function /m);
  });

  test('--json is the answer of the API and nothing else', async () => {
    const ran = await world.run(['capacity', '--json']);
    assert.deepEqual(JSON.parse(ran.stdout), capacityReport());
    assert.equal(ran.stderr, '');
  });
});

describe('the words of capacity', () => {
  const at = (days: number): number => NOW_MS + days * DAY_MS;

  test('tell each way in which a limit may be reached', () => {
    assert.deepEqual(toldOf({ kind: 'none' }), { row: 'not within a year', note: '' });
    assert.deepEqual(toldOf({ kind: 'falling' }), { row: 'no: it falls', note: '' });
    assert.deepEqual(toldOf({ kind: 'fits' }), { row: 'never: all fit', note: '' });
    assert.deepEqual(toldOf({ kind: 'unknown' }), { row: 'too little usage', note: '' });
    assert.deepEqual(toldOf({ kind: 'reached' }), {
      row: 'now',
      note: "The app needs all of the machine's CPU in the busiest hour of a day like today.",
    });
    assert.deepEqual(toldOf({ kind: 'expected', earlyMs: at(2), expectedMs: at(5), lateMs: at(9) }), {
      row: '26 Nov (23 Nov – 30 Nov)',
      note: "The app needs all of the machine's CPU about 26 Nov; four times in five between 23 Nov and 30 Nov.",
    });
    assert.deepEqual(toldOf({ kind: 'expected', earlyMs: at(2), expectedMs: at(340), lateMs: null }), {
      row: '27 Oct 2027 (from 23 Nov on)',
      note: "The app needs all of the machine's CPU about 27 Oct 2027; four times in five after 23 Nov, perhaps not within a year.",
    });
    assert.deepEqual(toldOf({ kind: 'possible', earlyMs: at(0) }), {
      row: 'perhaps, in a busy hour',
      note: "The app may need all of the machine's CPU in a busy hour of any day, though not by the trend.",
    });
    assert.equal(toldOf({ kind: 'possible', earlyMs: at(20) }).row, 'perhaps, from 11 Dec on');
  });

  test('a date in a far year is told by its month where there is little room', () => {
    const limits = [
      {
        name: 'rps' as const,
        component: 'catalog',
        limit: 5,
        peak: 1,
        reached: { kind: 'expected' as const, earlyMs: at(200), expectedMs: at(340), lateMs: null },
      },
    ];
    const components = [componentCapacity({ limits, first: 'rps' })];
    const text = capacityLines(capacityReport({ components }), 80).join('\n');
    assert.match(text, /\ncatalog .* rps 5 +Oct 2027\n/);
    assert.match(text, /\ncatalog reaches rps 5 about 27 Oct 2027; /);
  });

  test('of a group it is said who it is, and whose a limit is', () => {
    const limits = [
      {
        name: 'rps' as const,
        component: 'checkout',
        limit: 5,
        peak: 1,
        reached: { kind: 'reached' as const },
      },
    ];
    const members = ['checkout', 'inventory'];
    const components = [componentCapacity({ name: 'core', members, limits, first: 'rps' })];
    const text = capacityLines(capacityReport({ components }), 120).join('\n');
    assert.match(text, /\ncore .* rps 5 of checkout +now\n/);
    assert.match(text, /\ncheckout reaches rps 5 in the busiest hour/);
    assert.match(text, /\ncore is the group of checkout, inventory: for all together, /);
  });

  test('numbers of any size fit 80 columns', () => {
    const components = [
      componentCapacity({
        name: 'a-component-with-a-very-long-name-indeed',
        now: { rps: 1_001_796, instances: 100, memoryBytes: 0 },
        room: {
          kind: 'measured',
          mostRps: 101_001_796,
          moreRps: 100_000_000,
          boundedBy: 'core-each',
          bounds: [],
        },
        limits: [
          { name: 'concurrency', component: 'catalog', limit: 1_000_000, peak: 3, reached: { kind: 'none' } },
        ],
        first: 'concurrency',
      }),
    ];
    const lines = capacityLines(capacityReport({ components }), 80);
    for (const line of lines) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
    assert.ok(
      lines.some((line) => / 1M .* 100M more /.test(line)),
      lines.join('\n'),
    );
  });

  test('say how little usage there is', () => {
    const { usage } = capacityReport();
    const unmeasured = [componentCapacity({ meanMs: null, cpuMs: null, room: { kind: 'unmeasured' } })];
    const text = (days: number, weekends = false): string =>
      capacityLines(capacityReport({ usage: { ...usage, days, weekends, outageHours: 1 } }), 200).join('\n');
    assert.match(text(0), /^shop · production · less than an hour of usage\n/);
    assert.doesNotMatch(text(0), /Nothing has been measured yet/);
    const none = capacityLines(
      capacityReport({ usage: { ...usage, days: 0 }, components: unmeasured }),
      200,
    ).join('\n');
    assert.match(none, /^shop · production · no usage yet\n/);
    assert.match(none, /\nNothing has been measured yet/);
    assert.match(text(1 / 24), /· 1 hour of usage\n/);
    assert.match(text(2), /\nWith less than three days of usage there are no forecasts yet/);
    assert.match(text(9), /\nWith less than two weeks of usage weekends are not told/);
    assert.doesNotMatch(text(20, true), /With less than/);
    assert.match(text(9), /\n1 hour without any request is taken for an outage/);
    assert.match(text(9), /\nWhat lies further ahead than the 9 days of usage is no more than a guess\./);
    assert.doesNotMatch(text(400), /no more than a guess/);
  });

  test('say that what is not reached within a year is not', () => {
    const limits = [
      { name: 'rps' as const, component: 'catalog', limit: 5, peak: 1, reached: { kind: 'none' as const } },
    ];
    const components = [componentCapacity({ limits, first: null })];
    assert.match(
      capacityLines(capacityReport({ components }), 80).join('\n'),
      /\ncatalog .* none in a year +-\n/,
    );
  });
});
