import type { BillOptions } from '../../meter/bill.ts';
import type { Mode } from '../../model/app.ts';
import type { Comparison } from '../../model/comparison.ts';
import { simulate } from '../simulator/simulate.ts';
import { fromLogNormal } from '../traffic/durations.ts';
import { generated } from '../traffic/generate.ts';
import { importTrace, type ImportedTrace } from '../traffic/import-trace.ts';
import { concurrencyOf, modelsOf } from './models.ts';
import { monthsPer, offerOf, type Priced } from './offers.ts';
import { Replayed } from './replayed.ts';
import type { ComparisonProgress, ComparisonRequest } from './request.ts';
import { verdictOf } from './verdict.ts';

const MONTH_MS = 730 * 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Reads a trace, or makes traffic up, replays it in each mode and prices that under each book. The same request gives the same. Holds the
 * arrivals of one function at a time, as far as the format allows.
 * Throws `trace-invalid` as {@link importTrace}, and whatever simulator and bills refuse.
 */
export async function compare(
  request: ComparisonRequest,
  onProgress: (progress: ComparisonProgress) => void = () => undefined,
): Promise<Comparison> {
  const trace = await traceOf(request, onProgress);
  const { span, functions, arrivals } = trace;
  const models = modelsOf(request, trace);
  const replayed = request.modes.map((mode) => new Replayed(mode, span));
  const total = arrivals * replayed.length;
  let done = 0;
  for (const one of functions) {
    const traffic = one.traffic({ span, seed: request.seed, cpuShare: request.cpuShare });
    for (const each of replayed) {
      onProgress({ step: 'replaying', done, total });
      each.add(simulate(traffic, models.of(each.mode, one), request.seed));
      done += one.arrivals;
    }
  }
  const factor = monthsPer(span);
  const options = (mode: Mode): BillOptions => ({
    freeTier: request.freeTier,
    without: request.without,
    providerCpu: request.providerCpu,
    measuredThere: trace.format === 'cloudwatch',
    components: Object.fromEntries(
      functions.map((one) => [
        one.name,
        {
          concurrency: concurrencyOf(request, mode, one),
          ...(one.models === undefined ? {} : { minReplicas: one.models.service.settings.minReplicas }),
        },
      ]),
    ),
  });
  const priced: Priced[] = [];
  for (const [i, book] of request.books.entries()) {
    onProgress({ step: 'pricing', done: i, total: request.books.length });
    for (const { mode, used } of replayed) priced.push(offerOf(used, book, options(mode), factor));
  }
  const { verdict, functions: results } = verdictOf({
    replayed,
    priced,
    books: request.books,
    options,
    factor,
  });
  return {
    trace: {
      format: trace.format,
      ...span,
      functions: functions.length,
      arrivals,
      badRows: trace.badRows,
      bad: trace.bad,
    },
    seed: request.seed,
    modes: replayed.map((each) => each.result()),
    offers: priced.map(({ offer }) => offer),
    verdict,
    functions: results,
    notes: [...trace.notes, ...cpuNotes(request, trace), ...models.notes, ...lengthNotes(trace)],
  };
}

type Trace = Omit<ImportedTrace, 'format'> & { readonly format: string };

async function traceOf(
  request: ComparisonRequest,
  onProgress: (progress: ComparisonProgress) => void,
): Promise<Trace> {
  if (request.generated === null) {
    return importTrace(request.paths, {
      ...request,
      onProgress: (doneBytes, totalBytes) =>
        onProgress({ step: 'reading', done: doneBytes, total: totalBytes }),
    });
  }
  const made = generated(request.generated, fromLogNormal(request.durations.distribution));
  return {
    format: 'generated',
    span: made.span,
    functions: [made],
    arrivals: made.arrivals,
    badRows: 0,
    bad: [],
    notes: [`Durations are log-normal with ${request.durations.text}.`],
    startsMs: [],
  };
}

function cpuNotes({ cpuShare }: ComparisonRequest, { format }: Trace): string[] {
  if (format === 'fulcrum') return [];
  const share = `${Number((cpuShare * 100).toFixed(1))} % of the duration (--cpu)`;
  return [
    format === 'jsonl'
      ? `CPU time, where the trace does not tell it, is taken as ${share}.`
      : `CPU time is not in the trace: taken as ${share}.`,
  ];
}

function lengthNotes({ span }: Trace): string[] {
  const lengthMs = span.toMs - span.fromMs;
  const times = MONTH_MS / lengthMs;
  if (times < 1.1) return [];
  const text = times >= 10 ? Math.round(times).toLocaleString('en-GB') : times.toFixed(1);
  const days = lengthMs < DAY_MS ? ' It is less than a day, so that nothing tells how a day goes.' : '';
  return [`A month is the trace ${text} times over.${days}`];
}
