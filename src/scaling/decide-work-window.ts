/**
 * How many invocations with kept work a component may have under way: a pure function of what waits and what is there.
 *
 * A worked example, a function with concurrency 1 and at most 100 instances, 6 of which may be starting at the same time, and 10,000 batches:
 *
 *   t = 0 s   6       a few, whatever waits
 *   t = 1 s   12      all 6 are busy, and the oldest has waited for a second
 *   t = 2 s   24      … and so on while it waits for so long
 *   t = 5 s   100     its most
 *   later     50, …   half of what it has would do: halved each second, to no less than a few
 *
 * Where the machine has no room for what it wants, it is what it has; it grows again when there is.
 *
 * A service with 4 replicas of concurrency 100, 150 requests on them: 200, half of its places. With 350 requests: 50, those that are
 * free. With more than all of its places taken, or requests that wait: 1, so that a backlog does not stand still.
 */
import type { WaitingWork } from '../model/work-window.ts';

interface Common {
  readonly work: WaitingWork;
  /** Invocations that its limits let in at a time; null: no bound. 0: it is switched off. */
  readonly most: number | null;
}

export interface FunctionWindowView extends Common {
  readonly mode: 'function';
  /** Invocations that one instance works on at a time. */
  readonly each: number;
  readonly maxInstances: number;
  readonly startsAtOnce: number;
  /** Instances that are there, those that start included. */
  readonly instances: number;
  /** It wants more instances than the machine has room for. */
  readonly isShort: boolean;
  readonly memory: WindowMemory | null;
}

export interface ServiceWindowView extends Common {
  readonly mode: 'service';
  readonly concurrency: number;
  readonly readyReplicas: number;
  /** All invocations in flight on its replicas or waiting for one, those with kept work included. */
  readonly load: number;
  /** Those of them that wait. */
  readonly queued: number;
}

export type WindowView = FunctionWindowView | ServiceWindowView;

/** What the next decision must know. */
export interface WindowMemory {
  readonly size: number;
  /** Monotonic. */
  readonly changedAtMs: number;
}

export interface DecidedWindow {
  readonly size: number;
  /** Null for a service. */
  readonly memory: WindowMemory | null;
}

/** A backlog that goes away by itself within this is none. */
const OLD_MS = 1_000;
const STEP_MS = 1_000;

export function decideWorkWindow(view: WindowView, nowMs: number): DecidedWindow {
  const most = view.most ?? Number.POSITIVE_INFINITY;
  if (most === 0) return { size: 0, memory: null };
  if (view.mode === 'service') return { size: Math.min(most, ofService(view)), memory: null };
  const memory = ofFunction(view, nowMs);
  return { size: Math.min(most, memory.size), memory };
}

function ofFunction(view: FunctionWindowView, nowMs: number): WindowMemory {
  const { work, each, maxInstances, startsAtOnce, instances, isShort, memory } = view;
  const largest = Math.max(1, maxInstances * each);
  const first = Math.min(largest, Math.max(1, startsAtOnce) * each);
  if (memory === null) return { size: first, changedAtMs: nowMs };
  const resized = (size: number): WindowMemory => {
    const clamped = Math.min(largest, Math.max(1, size));
    return clamped === memory.size ? memory : { size: clamped, changedAtMs: nowMs };
  };
  if (isShort) return resized(Math.min(memory.size, Math.max(1, instances) * each));
  if (memory.size > largest) return resized(largest);
  if (nowMs - memory.changedAtMs < STEP_MS) return memory;
  const { waiting, oldestMs, underWay } = work;
  if (waiting > 0 && oldestMs >= OLD_MS && underWay >= Math.min(memory.size, view.most ?? memory.size))
    return resized(memory.size * 2);
  // What made it small is over.
  if (memory.size < first) return resized(first);
  if (underWay + waiting <= memory.size / 2) return resized(Math.max(first, Math.ceil(memory.size / 2)));
  return memory;
}

function ofService({ work, concurrency, readyReplicas, load, queued }: ServiceWindowView): number {
  if (queued > 0) return 1;
  const places = readyReplicas * concurrency;
  const others = Math.max(0, load - work.underWay);
  return Math.max(1, Math.min(Math.floor(places / 2), places - others));
}
