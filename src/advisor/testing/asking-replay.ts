import type { FunctionModel, Traffic } from '../../model/simulation.ts';
import { systemClock } from '../../base/clock.ts';
import { decide } from '../../scaling/decide.ts';
import { Habit } from '../../scaling/habit.ts';
import { PoolHabit } from '../../scaling/pool-habit.ts';
import { Random } from '../random.ts';
import { drawn } from '../simulator/start-times.ts';

interface One {
  readonly id: string;
  readonly startedMs: number;
  state: 'starting' | 'ready' | 'draining';
  readyMs: number;
  inFlight: number;
  served: number;
  idleSinceMs: number;
  readonly failing: null;
}

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** What {@link askingReplay} has counted. */
export interface Asked {
  executed: number;
  refused: number;
  cold: number;
  wholeMs: number;
  startMs: number;
  livedMs: number;
  started: number;
  busiest: number;
}

/**
 * A function's replay that is slow and plain: after whatever happens it asks the scaler's `decide`, and does what it says. What the fast one
 * is held against.
 */
export function askingReplay(traffic: Traffic, model: FunctionModel, seed: number): Asked {
  const { settings, provisioned, startsAtOnce = Infinity } = model;
  const random = new Random(seed, 'start');
  const endMs = traffic.toMs - traffic.fromMs;
  const each = settings.fresh ? 1 : settings.concurrency;
  const asked: Asked = {
    executed: 0,
    refused: 0,
    cold: 0,
    wholeMs: 0,
    startMs: 0,
    livedMs: 0,
    started: 0,
    busiest: 0,
  };
  let instances: One[] = [];
  let due: Due[] = [];
  let waiting: { readonly arrivedMs: number; readonly invocation: number }[] = [];
  let nowMs = 0;
  let wakeMs = Infinity;
  const habit =
    settings.keepAlive === 'fixed'
      ? null
      : new PoolHabit({
          habit: new Habit({ ...systemClock, monotonicMs: () => nowMs }),
          isFollowed: () => true,
          keepZygote: () => undefined,
        });

  const lived = (one: One): void => {
    asked.livedMs += Math.max(0, Math.min(nowMs, endMs) - Math.min(one.startedMs, endMs));
    instances = instances.filter((other) => other !== one);
  };
  const start = (): One => {
    const one: One = {
      id: `i${asked.started++}`,
      startedMs: nowMs,
      state: 'starting',
      readyMs: 0,
      inFlight: 0,
      served: 0,
      idleSinceMs: 0,
      failing: null,
    };
    instances.push(one);
    return one;
  };
  const ready = (one: One): void => {
    one.state = 'ready';
    one.readyMs = one.idleSinceMs = nowMs;
  };
  const begin = (one: One, invocation: number, arrivedMs: number, waited: boolean): void => {
    one.inFlight++;
    habit?.began(waited ? arrivedMs : null);
    asked.executed++;
    const leftMs = arrivedMs + settings.timeoutMs - nowMs;
    const fullMs = traffic.durationMs[invocation]!;
    const tookMs = Math.min(fullMs, leftMs);
    const isCold = waited && one.served === 0 && one.readyMs >= arrivedMs;
    const bears = isCold && one.inFlight === 1;
    const startMs = bears ? one.readyMs - Math.max(one.startedMs, arrivedMs) : 0;
    if (isCold) asked.cold++;
    asked.startMs += startMs;
    asked.wholeMs += Math.ceil(startMs + tookMs);
    asked.busiest = Math.max(
      asked.busiest,
      instances.reduce((sum, { inFlight }) => sum + inFlight, 0),
    );
    due.push({
      atMs: nowMs + tookMs,
      run: () => {
        one.inFlight--;
        habit?.over();
        one.served++;
        if (one.inFlight === 0) one.idleSinceMs = nowMs;
        if (fullMs > leftMs) one.state = 'draining';
        if (one.state === 'draining' && one.inFlight === 0) lived(one);
      },
    });
  };
  const free = (): One | undefined =>
    instances.findLast(
      (one) => one.state === 'ready' && one.inFlight < each && !(settings.fresh && one.served > 0),
    );
  const arrive = (invocation: number): void => {
    const one = waiting.length === 0 ? free() : undefined;
    if (one !== undefined) begin(one, invocation, nowMs, false);
    else if (waiting.length >= settings.maxQueued) asked.refused++;
    else waiting.push({ arrivedMs: nowMs, invocation });
  };
  const giveUp = (): void => {
    const left = waiting.filter(({ arrivedMs }) => arrivedMs + settings.timeoutMs > nowMs);
    asked.refused += waiting.length - left.length;
    waiting = left;
  };
  const step = (): void => {
    for (let one = free(); one !== undefined && waiting.length > 0; one = free()) {
      const { arrivedMs, invocation } = waiting.shift()!;
      begin(one, invocation, arrivedMs, true);
    }
    const plan = decide(
      {
        mode: 'function',
        settings,
        queued: waiting.length,
        instances,
        retry: { failures: 0, retryAtMs: -Infinity, latest: 'revision' },
        warm: provisioned,
        startsAtOnce,
        habit: habit?.view ?? null,
      },
      nowMs,
    );
    for (const { id } of plan.ends) lived(instances.find((one) => one.id === id)!);
    if (plan.prewarms === true) habit?.prewarmed();
    for (let i = 0; i < plan.starts.length; i++) {
      const one = start();
      due.push({ atMs: nowMs + drawn(model.coldStart, random), run: () => ready(one) });
    }
    wakeMs = plan.wakeAtMs ?? Infinity;
    if (plan.ends.length > 0) step();
  };

  for (let i = 0; i < Math.min(provisioned, settings.maxInstances); i++) ready(start());
  let next = 0;
  for (;;) {
    const arrivesMs =
      next < traffic.arrivedAtMs.length ? traffic.arrivedAtMs[next]! - traffic.fromMs : Infinity;
    const first = due.reduce<Due>((least, one) => (one.atMs < least.atMs ? one : least), {
      atMs: Infinity,
      run: () => undefined,
    });
    const atMs = Math.min(arrivesMs, first.atMs, wakeMs);
    if (atMs > endMs && (waiting.length === 0 || atMs === Infinity)) break;
    nowMs = atMs;
    giveUp();
    if (first.atMs === atMs) {
      due = due.filter((one) => one !== first);
      first.run();
    } else if (arrivesMs === atMs) {
      arrive(next++);
    }
    step();
  }
  asked.refused += waiting.length;
  nowMs = endMs;
  for (const one of instances) lived(one);
  return asked;
}
