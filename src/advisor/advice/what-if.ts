import type { Used } from '../../model/used.ts';
import { modelsOfFacts, type FactModels } from '../own/models-of-facts.ts';
import { Arrivals } from './arrivals.ts';
import { sixthsOf } from './blocks.ts';
import { choiceOf, type Candidate } from './choice.ts';
import { windowLatency } from './outlook.ts';
import { Prices } from './prices.ts';
import { obstaclesOf } from './reasons/obstacles.ts';
import type { Again, AgainAnswer } from './reasons/input.ts';
import type { AdviceRequest, PerMode } from './request.ts';
import { replayWindow, type WindowReplay } from './window-replay.ts';
import type { ModeOutlook } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';

/** Invocations of one answer, each mode: enough for costs to a percent. */
const MOST_REPLAYED = 30_000;
/** Answers that are kept: reasons and flips ask for the same more than once. */
const MOST_KEPT = 64;

interface Kept {
  readonly request: AdviceRequest;
  readonly models: FactModels;
  readonly replays: PerMode<WindowReplay>;
}

/** Asks the same rules about a request that is a little different, with one replay and no samples. */
export class WhatIf {
  readonly #request: AdviceRequest;
  readonly #outlooks: PerMode<ModeOutlook>;
  readonly #kept: Kept[];
  readonly #count: number;
  /** The request as it is, replayed as short as changed ones are; null until it is needed. */
  #short: PerMode<WindowReplay> | null = null;

  constructor(own: Kept, outlooks: PerMode<ModeOutlook>) {
    this.#request = own.request;
    this.#outlooks = outlooks;
    this.#kept = [own];
    const { span } = new Arrivals(own.request.traffic);
    this.#count = new Arrivals(own.request.traffic).count(span);
  }

  /** See {@link Again}. */
  readonly again: Again = (change) => {
    const request = change(this.#request);
    const kept = this.#replayed(request);
    const { models, replays } = kept;
    const prices = new Prices(request, models);
    const objectiveMs = request.facts.objective.p99Ms;
    const of = (mode: Mode): Candidate => {
      const candidate = candidateOf(replays[mode], prices, request);
      const { p99Ms } = candidate;
      return kept === this.#kept[0] || p99Ms === null
        ? candidate
        : { ...candidate, p99Ms: p99Ms * this.#lengthening(mode) };
    };
    const candidates = { function: of('function'), service: of('service') };
    const obstacles = obstaclesOf(request, this.#outlooksOf(candidates));
    const present = request.exists ? request.facts.mode : null;
    const { mode } = choiceOf(candidates, obstacles, present, objectiveMs);
    return { mode, ...figuresOf(candidates) };
  };

  /** What each mode costs with `times` the traffic; null where nobody sells it. */
  costsAt(times: number): PerMode<number | null> {
    const { models } = this.#kept[0]!;
    const prices = new Prices(this.#request, models);
    const replays = this.#shortReplay(this.#request, roomFor(models, times), times);
    const of = (mode: Mode): number | null => candidateOf(replays[mode], prices, this.#request).perMonth;
    return { function: of('function'), service: of('service') };
  }

  /**
   * What a short replay's 99th percentile is multiplied by to be that of the whole window: as without any change. A service's begins with few
   * replicas, and of a short one that is a large part.
   */
  #lengthening(mode: Mode): number {
    const { models, replays } = this.#kept[0]!;
    this.#short ??= this.#shortReplay(this.#request, models, 1);
    const [whole, short] = [windowLatency(replays[mode])?.p99Ms, windowLatency(this.#short[mode])?.p99Ms];
    return whole === undefined || short === undefined || short <= 0 ? 1 : whole / short;
  }

  #shortReplay(request: AdviceRequest, models: FactModels, times: number): PerMode<WindowReplay> {
    const arrivals = new Arrivals(request.traffic);
    return replayWindow({
      arrivals,
      blocks: sixthsOf(arrivals.span),
      models,
      times,
      seed: request.seed,
      placements: 1,
      most: MOST_REPLAYED,
      onBlock: () => undefined,
    });
  }

  #replayed(request: AdviceRequest): Kept {
    const { traffic, facts } = request;
    const found = this.#kept.find(
      ({ request: { traffic: ofTraffic, facts: of } }) =>
        ofTraffic === traffic &&
        of.function === facts.function &&
        of.service === facts.service &&
        of.startsMs === facts.startsMs,
    );
    if (found !== undefined) return found;
    const arrivals = new Arrivals(traffic);
    const times = arrivals.count(arrivals.span) / Math.max(1, this.#count);
    const models = roomFor(modelsOfFacts(facts), times);
    const replays = this.#shortReplay(request, models, 1);
    const kept = { request, models, replays };
    if (this.#kept.length >= MOST_KEPT) this.#kept.splice(1, 1);
    this.#kept.push(kept);
    return kept;
  }

  /** Obstacles go by what is measured of the request, and by what is sold. */
  #outlooksOf(candidates: PerMode<Candidate>): PerMode<ModeOutlook> {
    const of = (mode: Mode): ModeOutlook => {
      const own = this.#outlooks[mode];
      const { perMonth } = candidates[mode];
      return perMonth === null
        ? { ...own, perMonth: null, book: null, lines: [] }
        : { ...own, perMonth: { low: perMonth, mid: perMonth, high: perMonth } };
    };
    return { function: of('function'), service: of('service') };
  }
}

/** More traffic is not refused for bounds that were set for less. */
function roomFor(models: FactModels, times: number): FactModels {
  if (times <= 1) return models;
  const { settings: asFunction } = models.function;
  const { settings: asService } = models.service;
  const most = (bound: number): number => Math.ceil(bound * times);
  return {
    function: {
      ...models.function,
      settings: { ...asFunction, maxInstances: most(asFunction.maxInstances) },
    },
    service: { ...models.service, settings: { ...asService, maxReplicas: most(asService.maxReplicas) } },
  };
}

export function operationsOf({ settings: { operations } }: AdviceRequest, mode: Mode): number {
  return operations.hoursPerMonth[mode] * operations.perHour;
}

function candidateOf(replay: WindowReplay, prices: Prices, request: AdviceRequest): Candidate {
  const { used }: { used: Used } = replay;
  const seller = prices.cheapest(used);
  return {
    perMonth: seller === null ? null : seller.perMonth + operationsOf(request, replay.mode),
    p99Ms: windowLatency(replay)?.p99Ms ?? null,
    refusedShare: used.refused / Math.max(1, used.executed + used.refused),
  };
}

function figuresOf(candidates: PerMode<Candidate>): Omit<AgainAnswer, 'mode'> {
  return {
    perMonth: { function: candidates.function.perMonth, service: candidates.service.perMonth },
    p99Ms: { function: candidates.function.p99Ms, service: candidates.service.p99Ms },
  };
}
