import { constants } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { resourcesExhausted } from '../../base/exhausted.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import type { BecomeOrder, ForkOrder, Report } from './orders.ts';
import { ZygoteLost } from './zygote-lost.ts';
import { ZygoteSocket } from './zygote-socket.ts';

const MAX_EARLY = 1_000;

/** `lost`: nobody saw its end, but its zygote's, which it does not outlive. */
export type Ended = (end: ProcessEnd, lost: boolean) => void;

/**
 * Whoever forks: waits for the answers to orders, and tells each child its end. The root zygote's end is that of all that
 * came from it, since each ends with its parent.
 */
export class Forker {
  readonly closed: Promise<void>;
  readonly #socket: ZygoteSocket;
  readonly #asked = new Map<number, PromiseWithResolvers<number>>();
  readonly #children = new Map<number, Ended>();
  /** Ends that were reported before anybody asked: of a child that ended at once, or of an orphan. */
  readonly #early = new Map<number, ProcessEnd>();
  readonly #onReport: (report: Report) => void;
  #nextId = 1;
  #state: 'open' | 'closed' = 'open';

  constructor(descriptor: number, clock: Clock, onReport: (report: Report) => void) {
    this.#onReport = onReport;
    this.#socket = new ZygoteSocket(descriptor, clock, (report) => this.#reported(report));
    this.closed = this.#socket.closed.then(() => this.#lost());
  }

  /** A number for an order. */
  nextId(): number {
    return this.#nextId++;
  }

  /** @returns the child's process id in the zygote's count. Rejects with {@link ZygoteLost}, or with what kept it from forking. */
  fork(order: ForkOrder, descriptors: readonly number[]): Promise<number> {
    const asked = Promise.withResolvers<number>();
    if (this.#state === 'open') this.#asked.set(order.id, asked);
    else asked.reject(new ZygoteLost());
    this.#socket.send(order, descriptors);
    return asked.promise;
  }

  /** Tells a blank zygote what it is to become. `descriptors` are closed here. */
  order(order: BecomeOrder, descriptors: readonly number[]): void {
    this.#socket.send(order, descriptors);
  }

  /** Calls `ended` once, when the child `pid` (in the zygote's count) has. */
  whenEnded(pid: number, ended: Ended): void {
    const early = this.#early.get(pid);
    this.#early.delete(pid);
    if (early !== undefined) ended(early, false);
    else if (this.#state === 'open') this.#children.set(pid, ended);
    else ended({ exitCode: null, signal: 'SIGKILL' }, true);
  }

  /** Its children, as far as anybody has asked to be told of their ends. */
  get living(): number {
    return this.#children.size;
  }

  /** Whether the end of `pid` has been reported before anybody asked for it. */
  hasEnded(pid: number): boolean {
    return this.#early.has(pid);
  }

  signal(pid: number, signal: NodeJS.Signals): void {
    this.#socket.send({ do: 'signal', pid, signal: constants.signals[signal] });
  }

  close(): void {
    this.#socket.close();
  }

  #reported(report: Report): void {
    switch (report.said) {
      case 'forked':
        // Two processes of one number: it lies, and is cut off.
        if (this.#children.has(report.pid)) throw new TypeError('A zygote has forked one process twice.');
        // Of another process, which had that number before.
        this.#early.delete(report.pid);
        this.#take(report.id)?.resolve(report.pid);
        return;
      case 'not-forked':
        this.#take(report.id)?.reject(notForked(report.why, report.exhausted));
        return;
      case 'ended': {
        const { exitCode, cpuMs } = report;
        const end = {
          exitCode,
          signal: signalName(report.signal),
          ...(cpuMs !== undefined && { cpuMs }),
        };
        const ended = this.#children.get(report.pid);
        this.#children.delete(report.pid);
        if (ended !== undefined) ended(end, false);
        else this.#keepEarly(report.pid, end);
        return;
      }
      case 'loaded':
      case 'warm':
        this.#onReport(report);
    }
  }

  #keepEarly(pid: number, end: ProcessEnd): void {
    this.#early.delete(pid);
    this.#early.set(pid, end);
    if (this.#early.size <= MAX_EARLY) return;
    const [oldest] = this.#early.keys();
    this.#early.delete(oldest!);
  }

  #take(id: number): PromiseWithResolvers<number> | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  #lost(): void {
    this.#state = 'closed';
    for (const asked of this.#asked.values()) asked.reject(new ZygoteLost());
    this.#asked.clear();
    const children = [...this.#children.values()];
    this.#children.clear();
    for (const ended of children) ended({ exitCode: null, signal: 'SIGKILL' }, true);
  }
}

function notForked(why: string, exhausted: string | null): FulcrumError {
  const what = 'No process could be forked';
  if (exhausted !== null) return resourcesExhausted(what, exhausted);
  return new FulcrumError('start-failed', `${what}: ${why}.`);
}

function signalName(signal: number | null): string | null {
  if (signal === null) return null;
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? `signal ${signal}`;
}
