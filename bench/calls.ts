import { rowOf, type Benchmark, type Row, type RunOptions, type Target } from './benchmark.ts';
import { Contenders, type Way } from './calls-contenders.ts';
import type { Measured, Order } from './calls-app/measure.ts';
import type { ValueName } from './calls-app/values.ts';
import { interleaved, median, spreadOf } from './statistics.ts';

const AT_ONCE = 32;
const FEW_AT_ONCE = 8;
const FETCH = 'HTTP, fetch';
const NODE_HTTP = 'HTTP, node:http';
const CLONE = 'structuredClone';

interface Subject {
  readonly name: string;
  readonly way: Way;
  /** Calls in a round. */
  readonly count: number;
  readonly target?: Target;
  /** Its target is for the value itself, and it is compared with nothing. */
  readonly isAbsolute?: boolean;
}

/** What a round of a subject has come to. */
interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

export const calls: Benchmark = {
  name: 'calls',
  about: [
    'a call from one component to another: in the process, and over the wire',
    'to a service, a warm function and one that is started for each call;',
    'beside Moleculer (one broker; two over TCP) and HTTP between two Fastify',
    'servers, with fetch and with node:http. Measured by the caller, in its',
    'handler; small arguments: × is over fetch; 1 MB of them: × is over a',
    'structured clone of the same in the caller. p50 and p99 are medians of',
    "the rounds' own.",
  ].join('\n'),
  async run(options) {
    const contenders = await Contenders.start();
    try {
      return [
        ...(await oneByOne(contenders, options)),
        ...(await manyAtOnce(contenders, FEW_AT_ONCE, options)),
        ...(await manyAtOnce(contenders, AT_ONCE, options)),
        ...(await large(contenders, 'objects', '1 MB of objects', options)),
        ...(await large(contenders, 'bytes', '1 MB of bytes', options)),
      ];
    } finally {
      await contenders.stop();
    }
  },
};

async function oneByOne(contenders: Contenders, { quick, note }: RunOptions): Promise<Row[]> {
  const [rounds, count, coldCount] = quick ? [1, 100, 3] : [15, 1_000, 10];
  const subjects: Subject[] = [
    {
      name: 'in-process',
      way: contenders.fulcrum('near'),
      count,
      target: { max: 10 },
      isAbsolute: true,
    },
    { name: 'service', way: contenders.fulcrum('service'), count, target: { max: 0.5 } },
    { name: 'warm function', way: contenders.fulcrum('warm'), count },
    { name: 'cold function', way: contenders.fulcrum('cold'), count: coldCount },
    { name: 'cold function, disk', way: contenders.fulcrum('disk'), count: coldCount },
    { name: 'Moleculer, local', way: contenders.moleculer('local'), count },
    { name: 'Moleculer, TCP', way: contenders.moleculer('tcp'), count },
    { name: FETCH, way: contenders.http('fetch'), count },
    { name: NODE_HTTP, way: contenders.http('node:http'), count },
  ];
  note(`small arguments, one call after the other: ${rounds} rounds of ${subjects.length}`);
  const found = await measure(subjects, 'small', 1, rounds);
  const rows = (metric: 'p50' | 'p99', over: string, among: readonly Subject[], judged: boolean): Row[] => {
    const pick = ({ p50Ms, p99Ms }: Round): number => (metric === 'p50' ? p50Ms : p99Ms) * 1_000;
    const base = valueOf(found, over, pick);
    return among.map((subject) =>
      rowOf('calls', {
        name: subject.name,
        metric: `one after the other: ${metric}${over === FETCH ? '' : `, × over ${over}`}`,
        value: valueOf(found, subject.name, pick),
        unit: 'µs',
        ...(subject.isAbsolute === true || subject.name === over
          ? {}
          : { over: { name: over, value: base } }),
        ...(judged && subject.target !== undefined ? { target: subject.target } : {}),
      }),
    );
  };
  const overTheWire = subjects.filter(({ name }) => name === 'service' || name === 'warm function');
  return [
    ...rows('p50', FETCH, subjects, true),
    ...rows('p50', NODE_HTTP, overTheWire, false),
    ...rows('p99', FETCH, subjects, false),
  ];
}

/** Functions are left out: each has one call at a time, so that this many at once would be as many processes on a few processors. */
async function manyAtOnce(
  contenders: Contenders,
  atOnce: number,
  { quick, note }: RunOptions,
): Promise<Row[]> {
  const [rounds, count] = quick ? [1, 200] : [15, 3_000];
  const subjects: Subject[] = [
    { name: 'in-process', way: contenders.fulcrum('near'), count },
    { name: 'service', way: contenders.fulcrum('service'), count },
    { name: 'Moleculer, local', way: contenders.moleculer('local'), count },
    { name: 'Moleculer, TCP', way: contenders.moleculer('tcp'), count },
    { name: FETCH, way: contenders.http('fetch'), count },
    { name: NODE_HTTP, way: contenders.http('node:http'), count },
  ];
  note(`small arguments, ${atOnce} calls at once: ${rounds} rounds of ${subjects.length}`);
  const found = await measure(subjects, 'small', atOnce, rounds);
  const rows = (metric: string, unit: string, pick: (round: Round) => number): Row[] =>
    subjects.map(({ name }) =>
      rowOf('calls', {
        name,
        metric,
        value: valueOf(found, name, pick),
        unit,
        ...(name === FETCH ? {} : { over: { name: FETCH, value: valueOf(found, FETCH, pick) } }),
      }),
    );
  return [
    ...rows(`${atOnce} at once`, 'calls/s', ({ perSecond }) => perSecond),
    ...rows(`${atOnce} at once: p50`, 'µs', ({ p50Ms }) => p50Ms * 1_000),
  ];
}

async function large(
  contenders: Contenders,
  value: ValueName,
  metric: string,
  { quick, note }: RunOptions,
): Promise<Row[]> {
  const [rounds, count] = quick ? [1, 3] : [15, 10];
  const subjects: Subject[] = [
    { name: CLONE, way: contenders.fulcrum('clone'), count },
    { name: 'in-process', way: contenders.fulcrum('near'), count, target: { max: 2 } },
    { name: 'service', way: contenders.fulcrum('service'), count },
    { name: 'warm function', way: contenders.fulcrum('warm'), count },
    { name: 'Moleculer, local', way: contenders.moleculer('local'), count },
    { name: 'Moleculer, TCP', way: contenders.moleculer('tcp'), count },
    { name: FETCH, way: contenders.http('fetch'), count },
    { name: NODE_HTTP, way: contenders.http('node:http'), count },
  ];
  note(`${metric}: ${rounds} rounds of ${subjects.length}`);
  const found = await measure(subjects, value, 1, rounds);
  const pick = ({ p50Ms }: Round): number => p50Ms;
  const base = valueOf(found, CLONE, pick);
  return subjects.map(({ name, target }) =>
    rowOf('calls', {
      name,
      metric: `${metric}: p50`,
      value: valueOf(found, name, pick),
      unit: 'ms',
      ...(name === CLONE ? {} : { over: { name: CLONE, value: base } }),
      ...(target === undefined ? {} : { target }),
    }),
  );
}

/** Each subject's rounds, after one that is not counted: what is compiled and connected is so afterwards. */
async function measure(
  subjects: readonly Subject[],
  value: ValueName,
  atOnce: number,
  rounds: number,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const run = async ({ way, count }: Subject): Promise<Round> => {
    const order: Order = { count, atOnce };
    return roundOf(await way(value, order));
  };
  for (const subject of subjects) await run(subject);
  const found = await interleaved(rounds, subjects, run);
  return new Map([...found].map(([{ name }, measured]) => [name, measured]));
}

function roundOf({ latenciesMs, tookMs }: Measured): Round {
  const { p50, p99 } = spreadOf(latenciesMs);
  return { p50Ms: p50, p99Ms: p99, perSecond: (latenciesMs.length / tookMs) * 1_000 };
}

function valueOf(
  found: ReadonlyMap<string, readonly Round[]>,
  name: string,
  pick: (round: Round) => number,
): number {
  return median(found.get(name)!.map(pick));
}
