import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { requestId } from '../src/base/ids.ts';
import { silentLogger } from '../src/base/log.ts';
import { LogBook } from '../src/control/log-book.ts';
import { OpenBlock } from '../src/meter/arrival-block.ts';
import { Sketch } from '../src/meter/sketch.ts';
import { CallBook } from '../src/meter/call-book.ts';
import { callLine } from '../src/meter/call-line.ts';
import { UsageMeter } from '../src/meter/usage-meter.ts';
import type { CallRecord, CallSink } from '../src/model/calls.ts';
import type { UsageRecord } from '../src/model/usage.ts';
import type { UsageBatch, UsageStore } from '../src/model/usage-store.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { rowOf, type Benchmark, type Row } from './benchmark.ts';
import { median } from './statistics.ts';
import { meteringCost } from './usage-server.ts';

const COMPONENTS = 8;
/** What comes in between two flushes at 2,000 requests a second. */
const RECORDS_PER_FLUSH = 2_000;

export const usage: Benchmark = {
  name: 'usage',
  about: [
    'what metering costs: record, calls, flush, bytes per arrival,',
    "sketches; and of a warm request's CPU in the server, with and without",
  ].join('\n'),
  async run(options) {
    const { quick, note } = options;
    note('record');
    const record = await recordCost(quick);
    const rows = [record, ...callCosts(quick)];
    note('flush to SQLite');
    rows.push(...(await flushCost(quick)));
    rows.push(...[1, 100, 10_000].map((perSecond) => bytesPerArrival(perSecond)));
    note('sketches');
    rows.push(...sketchCosts(quick));
    rows.push(...(await meteringCost(options, record.value)));
    return rows;
  },
};

async function recordCost(quick: boolean): Promise<Row> {
  const [rounds, perRound] = quick ? [5, 100_000] : [15, 500_000];
  const records = sampleRecords(10_000);
  const taken: UsageBatch[] = [];
  // Takes what it is given at once: this is about `record` alone.
  const nothing = {
    append: async (batch: UsageBatch) => void (taken[0] = batch),
    prune: async () => undefined,
    writers: async () => [],
  } as unknown as UsageStore;
  const meter = new UsageMeter({
    app: 'shop',
    store: nothing,
    clock: systemClock,
    logger: silentLogger,
    flushMs: 3_600_000,
  });
  const costsNs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begunNs = cpuNs();
    for (let i = 0; i < perRound; i++) meter.record(records[i % records.length]!);
    costsNs.push((cpuNs() - begunNs) / perRound);
    await meter.flush();
  }
  await meter.close();
  return rowOf('usage', {
    name: 'record()',
    metric: 'CPU',
    value: median(costsNs),
    unit: 'ns',
    // A tenth of what raw node:http spends on a request, at the most.
    target: { max: 1_000 },
  });
}

/** What this thread has used: what else the machine does would count as ours by the clock. */
function cpuNs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) * 1_000;
}

/** Of a call: what counts it, and the line that it leaves in the log. */
function callCosts(quick: boolean): Row[] {
  const [rounds, perRound] = quick ? [5, 100_000] : [15, 500_000];
  const calls = sampleCalls(10_000);
  const timed = (sink: CallSink): number => {
    const costsNs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const begunNs = cpuNs();
      for (let i = 0; i < perRound; i++) sink.record(calls[i % calls.length]!);
      costsNs.push((cpuNs() - begunNs) / perRound);
    }
    return median(costsNs);
  };
  const log = new LogBook({ maxEntries: 20_000, maxBytes: 16 * 1024 ** 2 });
  const lines = { record: (call: CallRecord): void => log.write(callLine('shop', call)) };
  const row = (name: string, value: number, max: number): Row =>
    rowOf('usage', { name, metric: 'CPU', value, unit: 'ns', target: { max } });
  return [
    row('call counted', timed(new CallBook({ clock: systemClock })), 1_000),
    row('call logged', timed(lines), 2_000),
  ];
}

async function flushCost(quick: boolean): Promise<Row[]> {
  const flushes = quick ? 20 : 100;
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-bench-'));
  const store = await openSqliteStore({
    path: join(folder, 'store.db'),
    clock: systemClock,
    logger: silentLogger,
  });
  const meter = new UsageMeter({
    app: 'shop',
    store: store.usage,
    clock: systemClock,
    logger: silentLogger,
    flushMs: 3_600_000,
  });
  try {
    const records = sampleRecords(RECORDS_PER_FLUSH);
    const wallMs: number[] = [];
    const busyMs: number[] = [];
    for (let i = 0; i < flushes; i++) {
      const nowMs = Date.now();
      for (const record of records) meter.record({ ...record, arrivedAtMs: nowMs });
      // A turn of the loop, so that what came before is not counted as the flush's.
      await new Promise((resolve) => setImmediate(resolve));
      const before = performance.eventLoopUtilization();
      const begunMs = performance.now();
      await meter.flush();
      wallMs.push(performance.now() - begunMs);
      await new Promise((resolve) => setImmediate(resolve));
      busyMs.push(performance.eventLoopUtilization(before).active);
    }
    const row = (metric: string, values: number[]): Row =>
      rowOf('usage', { name: 'flush of 2,000', metric, value: median(values), unit: 'ms' });
    return [row('until stored', wallMs), row("server's loop busy", busyMs)];
  } finally {
    await meter.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function bytesPerArrival(perSecond: number): Row {
  const block = new OpenBlock('part', 'catalog', 'function');
  const random = seeded(7);
  let atMs = Date.UTC(2026, 0, 1);
  while (block.sizeBytes < 3_800) {
    atMs += (-Math.log(1 - random()) / perSecond) * 1_000;
    block.add(Math.floor(atMs), 2 + random() * 500, random() < 0.01, false);
  }
  return rowOf('usage', {
    name: `arrival log at ${perSecond}/s`,
    metric: 'size',
    value: block.sizeBytes / block.count,
    unit: 'bytes/arrival',
    target: { max: 5 },
  });
}

function sketchCosts(quick: boolean): Row[] {
  const random = seeded(11);
  const minutes = Array.from({ length: 200 }, () => {
    const sketch = new Sketch();
    for (let i = 0; i < 500; i++) sketch.add(Math.exp(random() * 4));
    return sketch;
  });
  const encoded = minutes.map((sketch) => sketch.encode());
  const timed = (work: () => void): number => {
    const costs: number[] = [];
    for (let round = 0; round < (quick ? 10 : 50); round++) {
      const begunMs = performance.now();
      work();
      costs.push(((performance.now() - begunMs) * 1_000) / minutes.length);
    }
    return median(costs);
  };
  const mergeUs = timed(() => {
    const whole = new Sketch();
    for (const sketch of minutes) whole.merge(sketch);
  });
  const readUs = timed(() => {
    for (const bytes of encoded) Sketch.decode(bytes);
  });
  const writeUs = timed(() => {
    for (const sketch of minutes) sketch.encode();
  });
  return [
    rowOf('usage', { name: 'sketch', metric: 'merge', value: mergeUs, unit: 'µs' }),
    rowOf('usage', { name: 'sketch', metric: 'decode', value: readUs, unit: 'µs' }),
    rowOf('usage', { name: 'sketch', metric: 'encode', value: writeUs, unit: 'µs' }),
    rowOf('usage', {
      name: 'sketch of 500 values',
      metric: 'size',
      value: median(encoded.map((bytes) => bytes.length)),
      unit: 'bytes',
    }),
  ];
}

function sampleRecords(count: number): UsageRecord[] {
  const random = seeded(3);
  return Array.from({ length: count }, (_, i) => {
    const durationMs = Math.exp(random() * 4);
    return {
      component: `component-${i % COMPONENTS}`,
      revision: 'abcdef012345',
      mode: i % COMPONENTS < 4 ? 'function' : 'service',
      trigger: 'route',
      outcome: random() < 0.01 ? 'handler-error' : 'ok',
      requestId: requestId(),
      status: 200,
      arrivedAtMs: Date.UTC(2026, 0, 1) + i,
      waitedMs: random(),
      startMs: 0,
      durationMs,
      billedMs: Math.ceil(durationMs),
      cpuMs: durationMs / 2,
      cold: random() < 0.01,
      memoryBytes: 128 * 1024 ** 2,
      bytesIn: 300,
      bytesOut: 2_000,
    };
  });
}

function sampleCalls(count: number): CallRecord[] {
  const random = seeded(5);
  return Array.from({ length: count }, (_, i) => ({
    from: `component-${i % COMPONENTS}`,
    to: `component-${(i * 7) % COMPONENTS}`,
    function: `function${i % 5}`,
    way: i % 3 === 0 ? 'in-process' : 'wire',
    outcome: random() < 0.01 ? 'handler-error' : 'ok',
    code: null,
    requestId: requestId(),
    span: '00f067aa0ba902b7',
    parentSpan: '53995c3f42cd8ad8',
    depth: 1,
    atMs: Date.UTC(2026, 0, 1) + i,
    durationMs: Math.exp(random() * 4),
    attempts: 1,
  }));
}

/** Numbers from 0 to 1, the same each time: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
