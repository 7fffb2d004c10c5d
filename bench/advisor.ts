import { rowOf, type Benchmark, type Row, type Target } from './benchmark.ts';
import { adviceFor, chargedFor, ofWindow, type Charged, type Window } from './advisor-azure.ts';
import { autoRows } from './advisor-auto.ts';
import { azureFunctions, type AzureFunction } from './advisor-trace.ts';
import type { Advice } from '../src/model/advice.ts';
import type { Mode } from '../src/model/app.ts';

const FOLDER = process.env['FULCRUM_TRACES'];
const LEARNED: Window = { first: 0, minutes: 240 };
const CHARGED: Window = { first: 240, minutes: 240 };
const TIMES = [1, 10, 100];
/** Of durations; the trace does not tell. With much more a function is always cheaper, and there is nothing to choose. */
const CPU_SHARE = 0.07;
/** Of `--quick`: every so many functions. */
const QUICK_STEP = 10;
/** Of the longest hundredth of durations: a little more, so that starts and queues decide. */
const OBJECTIVE = 1.1;
const LEAST_EVIDENCE = 50;
/** Two sums of the same prices. */
const SAME = 1e-6;

export const advisor: Benchmark = {
  name: 'advisor',
  about:
    "verdicts learned on 4 hours of Azure's trace of 2019, charged on the next\nfour (FULCRUM_TRACES), beside simple rules; whether bands hold;\nmode auto on long series against the best schedule of switches",
  async run({ quick, note }) {
    const rows: Row[] = [];
    const all = azureFunctions(FOLDER, CPU_SHARE);
    if (all === null) note('FULCRUM_TRACES names no folder with the Azure trace: verdicts are left out');
    else rows.push(...adviceRows(quick ? all.filter((_, i) => i % QUICK_STEP === 0) : all, quick, note));
    note('auto');
    rows.push(...autoRows(FOLDER, quick, note));
    return rows;
  },
};

function adviceRows(
  functions: readonly AzureFunction[],
  quick: boolean,
  note: (text: string) => void,
): Row[] {
  const rows: Row[] = [];
  for (const times of quick ? [1] : TIMES) {
    note(`×${times}`);
    rows.push(...verdictRows(functions, times));
  }
  note('objectives');
  return [...rows, ...objectiveRows(functions)];
}

function row(name: string, metric: string, value: number, unit: string, target?: Target): Row {
  return rowOf('advisor', { name, metric, value, unit, ...(target === undefined ? {} : { target }) });
}

interface Judged {
  /** Null: too little came for one. */
  readonly advice: Advice | null;
  readonly learned: Charged;
  readonly later: Charged;
}

function verdictRows(functions: readonly AzureFunction[], times: number): Row[] {
  const judged = functions.map((one): Judged => {
    const advice = hasEvidence(one, times) ? adviceFor(one, LEARNED, times, null) : null;
    const learned = chargedFor(one, LEARNED, times);
    return { advice, learned, later: chargedFor(one, CHARGED, times) };
  });
  const told = judged.filter(({ advice }) => advice !== null);
  const metric = `×${times}, cost over the best static choice`;
  const untold = judged.filter(({ advice }) => advice === null);
  return [
    row('verdicts', metric, overBest(told, adviced), '%', { max: 1 }),
    row('all, else functions', metric, overBest(judged, adviced), '%', { max: 1 }),
    // Too little came in the learned hours, mostly nothing: no rule that looks at them can choose.
    row('lost by those without', metric, (lost(untold, adviced) / best(judged)) * 100, '%'),
    row('all: trailing cost', metric, overBest(judged, trailing), '%'),
    row(
      'all: always function',
      metric,
      overBest(judged, () => 'function'),
      '%',
    ),
    ...bandRows(told, times),
  ];
}

/** Without a verdict nothing is done: it stays the function that it was. */
function adviced({ advice }: Judged): Mode {
  if (advice === null) return 'function';
  return 'mode' in advice.verdict ? advice.verdict.mode : 'function';
}

function trailing({ learned: { cost } }: Judged): Mode {
  return cost.function <= cost.service ? 'function' : 'service';
}

/** In percent. */
function overBest(judged: readonly Judged[], rule: (one: Judged) => Mode): number {
  return (lost(judged, rule) / best(judged)) * 100;
}

function lost(judged: readonly Judged[], rule: (one: Judged) => Mode): number {
  return judged.reduce((total, one) => total + one.later.cost[rule(one)], 0) - best(judged);
}

function best(judged: readonly Judged[]): number {
  return judged.reduce((total, { later: { cost } }) => total + Math.min(cost.function, cost.service), 0);
}

/** Bands of both modes' costs; a service that costs the same whatever comes is no forecast and not counted. */
function bandRows(told: readonly Judged[], times: number): Row[] {
  const share = (mode: Mode): { held: number; of: number } => {
    let [held, of] = [0, 0];
    for (const { advice, later } of told) {
      const band = advice!.modes[mode].perMonth!;
      const [low, high] = [ofWindow(band.low, CHARGED), ofWindow(band.high, CHARGED)];
      const cost = later.cost[mode];
      const isConstant = high - low <= SAME * high && Math.abs(cost - high) <= SAME * high;
      if (isConstant) continue;
      of++;
      if (cost >= low * (1 - SAME) && cost <= high * (1 + SAME)) held++;
    }
    return { held, of };
  };
  const [fn, service] = [share('function'), share('service')];
  const metric = `×${times}, 90 % bands that hold what was charged later`;
  return [
    row('all costs', metric, ((fn.held + service.held) / (fn.of + service.of)) * 100, '%', {
      min: 85,
      max: 95,
    }),
    row('as a function', metric, (fn.held / fn.of) * 100, '%'),
    row('as a service', metric, (service.held / service.of) * 100, '%'),
  ];
}

/** Each asked for a p99 a little above its durations': verdicts whose replay misses it. */
function objectiveRows(functions: readonly AzureFunction[]): Row[] {
  let [missed, verdicts] = [0, 0];
  for (const one of functions.filter((_, i) => i % 3 === 0)) {
    if (!hasEvidence(one, 1)) continue;
    const { quantilesMs } = one.traffic.duration;
    const p99Ms = quantilesMs[Math.round((quantilesMs.length - 1) * 0.99)]! * OBJECTIVE + 1;
    const { verdict, modes } = adviceFor(one, LEARNED, 1, p99Ms);
    if (!('mode' in verdict)) continue;
    verdicts++;
    const found = modes[verdict.mode].p99Ms;
    if (found !== null && found.mid > p99Ms) missed++;
  }
  return [
    row('verdicts', 'with an objective', verdicts, ''),
    row('verdicts', 'whose replay misses the objective', missed, '', { max: 0 }),
  ];
}

function hasEvidence({ traffic }: AzureFunction, times: number): boolean {
  let count = 0;
  for (let i = 0; i < LEARNED.minutes; i++) count += traffic.invocations[LEARNED.first + i]! * times;
  return count >= LEAST_EVIDENCE;
}
