import { formatDuration } from '../../base/duration.ts';
import type { Advice, BreakEven, CostCurve, Evidence } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import { modelNotes, modelsOfFacts, type FactModels } from '../own/models-of-facts.ts';
import { Arrivals } from './arrivals.ts';
import { blocksOf, type Blocks } from './blocks.ts';
import { breakEvenOf, breakEvenTimes } from './break-even.ts';
import { curveOf } from './curve.ts';
import { estimatedCosts } from './estimate.ts';
import { outlookOf, type SampledOutlook } from './outlook.ts';
import { Prices } from './prices.ts';
import { flipsOf } from './reasons/flips.ts';
import { obstaclesOf } from './reasons/obstacles.ts';
import { reasonsOf } from './reasons/reasons.ts';
import type { AdviceProgress, AdviceRequest, PerMode } from './request.ts';
import { ratesOf, samplesOf, type Sample } from './samples.ts';
import { missingEvidence, verdictOf } from './verdict.ts';
import { operationsOf, WhatIf } from './what-if.ts';
import { replayWindow, type WindowReplay } from './window-replay.ts';

/** Invocations that are replayed for each mode, at most about. */
const MOST_REPLAYED = 2_000_000;
/** Traffic that is known by the minute is placed as often as makes so many blocks, and no more invocations than that. */
const PLACED_BLOCKS = 24;
const MOST_PLACEMENTS = 6;
const MOST_PLACED = 400_000;
/** What a request weighs beside a ms of work, where it is said how much a block had. */
const REQUEST_MS = 10;

/**
 * What mode a component or group should run in, and why: its traffic is replayed in both, each block of the window for itself, and priced;
 * samples of what the next window may be give bands. A pure function: the same request gives the same.
 * Throws `bad-request` where its traffic or settings are none that can be replayed.
 */
export function advise(
  request: AdviceRequest,
  onProgress: (progress: AdviceProgress) => void = () => undefined,
): Advice {
  const { facts } = request;
  const arrivals = new Arrivals(request.traffic);
  const blocks = blocksOf(arrivals.span);
  const models = modelsOfFacts(facts);
  const prices = new Prices(request, models);
  const count = arrivals.count(arrivals.span);
  const placements = placementsOf(arrivals, blocks, count);
  const total = blocks.spans.length * placements * 2;
  let done = 0;
  const replays = replayWindow({
    arrivals,
    blocks,
    models,
    times: 1,
    seed: request.seed,
    placements,
    most: MOST_REPLAYED,
    onBlock: () => onProgress({ step: 'replaying', done: ++done, total }),
  });
  const weights = replays.function.placements[0]!.map(
    ({ used }) => used.wholeMs + used.executed * REQUEST_MS,
  );
  const samples = samplesOf(weights, placements, request.samples, request.seed, request.doubt);
  const objectiveMs = facts.objective.p99Ms;
  const operations = {
    function: operationsOf(request, 'function'),
    service: operationsOf(request, 'service'),
  };
  const of = (mode: Mode): SampledOutlook =>
    outlookOf({
      replay: replays[mode],
      samples,
      models,
      prices,
      operations: operations[mode],
      objectiveMs,
    });
  const sampled: PerMode<SampledOutlook> = { function: of('function'), service: of('service') };
  const outlooks = { function: sampled.function.outlook, service: sampled.service.outlook };
  const obstacles = obstaclesOf(request, outlooks);
  const present = request.exists ? facts.mode : null;
  const evidence = evidenceOf(request, arrivals, blocks, count, prices.currency);
  const missing = missingEvidence(evidence);
  const verdict =
    missing.length > 0
      ? ({ kind: 'not-enough-evidence', missing } as const)
      : verdictOf({ present, outlooks: sampled, obstacles, objectiveMs });
  const whatIf = new WhatIf({ request, models, replays }, outlooks);
  const level = { request, replays, models, prices, operations, samples, evidence, whatIf, onProgress };
  const breakEven = count === 0 ? null : breakEvenFor(level);
  const whole = request.detail === 'whole';
  const input = { request, outlooks, obstacles, verdict, breakEven, again: whatIf.again };
  const curve = whole && count > 0 ? curveFor(level, breakEven) : null;
  if (whole) onProgress({ step: 'reasons', done: 0, total: 1 });
  return {
    unit: facts.unit,
    modeSetting: facts.modeSetting,
    present,
    evidence,
    verdict,
    obstacles,
    modes: outlooks,
    breakEven,
    reasons: request.detail === 'verdict' ? [] : reasonsOf(input),
    flips: whole ? flipsOf(input) : [],
    curve,
    notes: notesOf(request, blocks, prices, placements),
  };
}

interface Level {
  readonly request: AdviceRequest;
  readonly replays: PerMode<WindowReplay>;
  readonly models: FactModels;
  readonly prices: Prices;
  readonly operations: PerMode<number>;
  readonly samples: readonly Sample[];
  readonly evidence: Evidence;
  readonly whatIf: WhatIf;
  readonly onProgress: (progress: AdviceProgress) => void;
}

function breakEvenFor(level: Level): BreakEven | null {
  const { replays, models, prices, operations, samples, evidence, whatIf, onProgress } = level;
  const imbalance = (costs: PerMode<number | null>): number | null =>
    costs.function === null || costs.service === null || costs.function <= 0 || costs.service <= 0
      ? null
      : Math.log(costs.function / costs.service);
  let asked = 0;
  const replayed = (times: number): number | null => {
    onProgress({ step: 'break-even', done: asked++, total: ASKED });
    return imbalance(whatIf.costsAt(times));
  };
  const times = breakEvenTimes(
    (at) => imbalance(estimatedCosts(replays, models, prices, operations, at)),
    level.request.detail === 'whole' ? replayed : null,
  );
  if (times === null) return null;
  const weights = replays.function.placements[0]!.map(({ executed, refused }) => executed + refused);
  return breakEvenOf(times, perSecondOf(evidence), ratesOf(samples, weights));
}

const ASKED = 10;

function curveFor({ prices, evidence, whatIf, onProgress }: Level, breakEven: BreakEven | null): CostCurve {
  return curveOf({
    currency: prices.currency,
    here: perSecondOf(evidence),
    breakEven: breakEven?.perSecond ?? null,
    costsAt: (times) => whatIf.costsAt(times),
    onPoint: (done, total) => onProgress({ step: 'curve', done, total }),
  });
}

function perSecondOf({ arrivals, fromMs, toMs }: Evidence): number {
  return (arrivals * 1_000) / (toMs - fromMs);
}

function placementsOf(arrivals: Arrivals, { spans }: Blocks, count: number): number {
  if (!arrivals.isPlaced) return 1;
  const wanted = Math.min(MOST_PLACEMENTS, Math.ceil(PLACED_BLOCKS / spans.length));
  return Math.max(1, Math.min(wanted, Math.floor(MOST_PLACED / Math.max(1, count))));
}

function evidenceOf(
  { source, samples, seed, gapsMs, books }: AdviceRequest,
  { span }: Arrivals,
  { spans, blockMs }: Blocks,
  arrivals: number,
  currency: string,
): Evidence {
  return {
    source,
    ...span,
    arrivals,
    blocks: spans.length,
    blockMs,
    samples,
    seed,
    gapsMs,
    currency,
    books: books.map(({ id }) => id),
  };
}

function notesOf(
  { facts, freeTier, gapsMs }: AdviceRequest,
  { spans, blockMs }: Blocks,
  { leftOut, currency }: Prices,
  placements: number,
): string[] {
  const notes = modelNotes(facts);
  notes.push(
    `Bands are 90 % of what the next such window may be, by ${spans.length} ${spans.length === 1 ? 'block' : 'blocks'} of ${formatDuration(blockMs)}${placements > 1 ? `, placed ${placements} times within their minutes` : ''}.`,
  );
  if (!freeTier) notes.push('Free tiers are not taken off.');
  if (gapsMs > 0) notes.push(`Usage may be missing in ${formatDuration(gapsMs)} of it.`);
  for (const { title, currency: other } of leftOut)
    notes.push(`${title} is left out: its prices are in ${other}, the others' in ${currency}.`);
  return notes;
}
