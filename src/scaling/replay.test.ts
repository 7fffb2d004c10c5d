/**
 * The keep-alive policies on what real functions were asked: eight hours of 500 functions on Azure, of the public traces of
 * 2019 (Shahrad et al., "Serverless in the Wild", USENIX ATC 2020; sampled by the vHive project; CC-BY-4.0). `FULCRUM_TRACES` is
 * the folder with `azure2019-500-invocations.csv` and `azure2019-500-durations.csv`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, type Clock } from '../base/clock.ts';
import type { FunctionSettings } from '../model/app.ts';
import { decide } from './decide.ts';
import { Habit } from './habit.ts';
import { revision } from './testing/scene.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const MINUTES = 480;
const FOLDER = process.env['FULCRUM_TRACES'];
const skip = FOLDER === undefined && 'FULCRUM_TRACES names no folder with traces';

interface Traced {
  readonly arrivalsMs: readonly number[];
  readonly durationMs: number;
}

/** The invocations of a minute are spread over it; each takes as long as its function does on average. */
function traced(folder: string): Traced[] {
  const rows = (name: string): string[][] =>
    readFileSync(join(folder, name), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
  const idOf = (row: readonly string[]): string => row.slice(0, 3).join();
  const averageMs = new Map(
    rows('azure2019-500-durations.csv').map((row) => [idOf(row), Number(row[3])] as const),
  );
  return rows('azure2019-500-invocations.csv').map((row) => ({
    durationMs: averageMs.get(idOf(row)) ?? 0,
    arrivalsMs: row
      .slice(4)
      .flatMap((count, minute) =>
        Array.from({ length: Number(count) }, (_, i) => (minute + (i + 0.5) / Number(count)) * MIN),
      ),
  }));
}

/** One function whose instance starts in no time and takes all that comes at once, as in the paper's simulation. */
class Lone {
  cold = 0;
  starts = 0;
  idleMs = 0;
  #nowMs = 0;
  #wakeAtMs: number | null = null;
  #instance: { served: number; idleSinceMs: number } | null = null;
  #prewarmedOfMs: number | null = null;
  readonly #settings: FunctionSettings;
  readonly #clock: Clock = { ...systemClock, monotonicMs: () => this.#nowMs };
  readonly #habit: Habit | null;

  constructor(settings: FunctionSettings) {
    this.#settings = settings;
    this.#habit = settings.keepAlive === 'adaptive' ? new Habit(this.#clock) : null;
  }

  replay({ arrivalsMs, durationMs }: Traced): void {
    let busyUntilMs = Number.NEGATIVE_INFINITY;
    for (const atMs of arrivalsMs) {
      if (atMs > busyUntilMs) {
        if (busyUntilMs >= 0) this.#rest(busyUntilMs);
        this.#until(atMs);
        this.#begin();
      }
      busyUntilMs = Math.max(busyUntilMs, atMs + durationMs);
    }
    if (busyUntilMs >= 0) this.#rest(busyUntilMs);
    this.#until(MINUTES * MIN);
    this.#end();
  }

  #begin(): void {
    if (this.#instance === null) {
      this.cold++;
      this.#start();
    }
    this.idleMs += this.#nowMs - this.#instance!.idleSinceMs;
    this.#instance!.served++;
    this.#wakeAtMs = null;
    this.#habit?.began(null);
  }

  #rest(atMs: number): void {
    this.#nowMs = atMs;
    this.#instance!.idleSinceMs = atMs;
    this.#habit?.over();
    this.#step();
  }

  #until(atMs: number): void {
    while (this.#wakeAtMs !== null && this.#wakeAtMs <= atMs) {
      this.#nowMs = this.#wakeAtMs;
      this.#step();
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  #step(): void {
    const verdict = this.#habit?.verdict ?? null;
    const idleSinceMs = this.#habit?.idleSinceMs ?? null;
    const one = this.#instance;
    const plan = decide(
      {
        mode: 'function',
        settings: this.#settings,
        queued: 0,
        instances: one === null ? [] : [{ id: 'i', state: 'ready', inFlight: 0, failing: null, ...one }],
        retry: { failures: 0, retryAtMs: Number.NEGATIVE_INFINITY, latest: 'revision' as const },
        warm: 0,
        startsAtOnce: 1,
        habit: verdict && { ...verdict, idleSinceMs, prewarmed: this.#prewarmedOfMs === idleSinceMs },
      },
      this.#nowMs,
    );
    if (plan.ends.length > 0) this.#end();
    if (plan.starts.length > 0) this.#start();
    if (plan.prewarms) this.#prewarmedOfMs = idleSinceMs;
    this.#wakeAtMs = plan.wakeAtMs;
    // What has just been started is looked at again.
    if (plan.starts.length > 0) this.#step();
  }

  #start(): void {
    this.starts++;
    this.#instance = { served: 0, idleSinceMs: this.#nowMs };
  }

  #end(): void {
    if (this.#instance !== null) this.idleMs += Math.max(0, this.#nowMs - this.#instance.idleSinceMs);
    this.#instance = null;
  }
}

interface Outcome {
  readonly cold: number;
  readonly starts: number;
  readonly idleHours: number;
}

function outcome(all: readonly Traced[], keepAlive: 'fixed' | 'adaptive', keepAliveMs: number): Outcome {
  const settings = { ...revision('x').spec.function, keepAlive, keepAliveMs };
  let [cold, starts, idleMs] = [0, 0, 0];
  for (const one of all) {
    const lone = new Lone(settings);
    lone.replay(one);
    cold += lone.cold;
    starts += lone.starts;
    idleMs += lone.idleMs;
  }
  return { cold, starts, idleHours: Math.round(idleMs / HOUR) };
}

test(
  'on real traffic adaptive keep-alive has fewer cold starts than a fixed one that holds as much memory',
  { skip },
  (t) => {
    const all = traced(FOLDER!);
    const told = (keepAlive: 'fixed' | 'adaptive', minutes: number): Outcome => {
      const { cold, starts, idleHours } = outcome(all, keepAlive, minutes * MIN);
      const name = `${keepAlive} ${Number(minutes.toFixed(2))} min`;
      t.diagnostic(`${name}: ${cold} cold starts, ${starts} starts, ${idleHours} idle instance-hours`);
      return { cold, starts, idleHours };
    };
    const [second, five, ten] = [told('fixed', 1 / 60), told('fixed', 5), told('fixed', 10)];
    const [afterSecond, afterTen] = [told('adaptive', 1 / 60), told('adaptive', 10)];
    // Against the paper's ten minutes: both fewer cold starts and less memory.
    assert.ok(afterTen.cold < ten.cold * 0.65, 'fewer cold starts');
    assert.ok(afterTen.idleHours < ten.idleHours * 0.85, 'and less memory');
    // With the fixed keep-alive that holds by default until something is known.
    assert.ok(afterSecond.cold < second.cold / 50);
    assert.ok(afterSecond.cold < five.cold && afterSecond.idleHours < five.idleHours * 0.9);
  },
);
