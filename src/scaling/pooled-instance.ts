/**
 * One instance from the decision to start it until its process is gone.
 *
 *   starting ── runtime says ready ──▶ ready ── drain() ──▶ draining ── nothing in flight, or drained long enough ──▶ ending
 *      │                                 └───────── end() with nothing in flight, kill() ─────────────────────────────▶ │
 *      └── giveUp(): not needed any more, or too slow ────────────────────────────────────────────────────────────────▶ │
 *   Every state goes to `ended` when the process is gone, whatever the reason.
 *
 * Only `ready` takes work. `ended` is final, and reported once.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import { exhaustedCode, resourcesExhausted } from '../base/exhausted.ts';
import type { Mode } from '../model/app.ts';
import type { Instance, InstanceEnded, InstanceHome, InstanceUsage, Runtime } from '../model/instance.ts';
import type { Revision } from '../model/revision.ts';
import type { InstanceStatus } from '../model/status.ts';
import { NO_INSTANCE_SINK, type InstanceSink } from '../model/usage.ts';
import { InstanceLife } from './instance-life.ts';
import type { InstanceTelling, Living } from './instance-watch.ts';
import type { ModeSettings } from './mode-settings.ts';
import { Standing } from './standing.ts';
import { titleOf } from './title-of.ts';

export type PooledState = 'starting' | 'ready' | 'draining' | 'ending' | 'ended';

const NEXT: Readonly<Record<PooledState, readonly PooledState[]>> = {
  starting: ['ready', 'ending', 'ended'],
  ready: ['draining', 'ending', 'ended'],
  draining: ['ending', 'ended'],
  ending: ['ended'],
  ended: [],
};

/** An outer bound for runtimes that never answer; they have their own, tighter ones. */
export const START_LIMIT_MS = 60_000;
/** Between SIGTERM and SIGKILL. */
export const STOP_GRACE_MS: Readonly<Record<Mode, number>> = { function: 2_000, service: 10_000 };

/** Is told what becomes of an instance. */
export interface InstanceHost {
  becameReady(one: PooledInstance): void;
  failedToStart(one: PooledInstance, error: FulcrumError): void;
  /** @param before the state in which its process went away. */
  ended(one: PooledInstance, end: InstanceEnded, before: PooledState): void;
}

export interface InstanceOrder {
  readonly id: string;
  readonly revision: Revision;
  readonly home: InstanceHome;
  readonly settings: ModeSettings;
  readonly inspectPort: number | null;
  /** See `ordinals.ts`; 0 of a function's. */
  readonly ordinal: number;
  readonly reason: string;
  /** Null: nobody asks what it lives. */
  readonly lives: InstanceTelling | null;
}

export class PooledInstance implements Living {
  readonly id: string;
  readonly revision: Revision;
  readonly mode: Mode;
  /** Why it was started. */
  readonly reason: string;
  readonly inspectPort: number | null;
  readonly ordinal: number;
  readonly startedAtMs: number;
  readonly memoryBytes: number;
  readonly sink: InstanceSink;
  readonly life: InstanceLife;
  readonly standing = new Standing();

  registryPlace = -1;

  instance: Instance | null = null;
  readyAtMs = 0;
  inFlight = 0;
  served = 0;
  idleSinceMs = 0;
  /** Why it should be replaced; null while it answers its health checks. */
  failing: string | null = null;
  /** Why it ends, once somebody decided that it should. */
  endReason: string | null = null;
  /** What it held and used when last measured. */
  usage: InstanceUsage | null = null;

  readonly #order: InstanceOrder;
  readonly #clock: Clock;
  readonly #host: InstanceHost;
  readonly #abort = new AbortController();
  #state: PooledState = 'starting';
  #startLimit: Timer | null = null;
  #drainLimit: Timer | null = null;
  #drainedAtMs = Number.POSITIVE_INFINITY;

  constructor(order: InstanceOrder, clock: Clock, host: InstanceHost) {
    this.id = order.id;
    this.revision = order.revision;
    this.mode = order.settings.mode;
    this.reason = order.reason;
    this.inspectPort = order.inspectPort;
    this.ordinal = order.ordinal;
    this.startedAtMs = clock.monotonicMs();
    this.memoryBytes = order.settings.settings.memoryBytes;
    this.sink = order.lives?.sink ?? NO_INSTANCE_SINK;
    this.life = new InstanceLife(this.startedAtMs);
    this.#order = order;
    this.#clock = clock;
    this.#host = host;
  }

  get state(): PooledState {
    return this.#state;
  }

  get ejected(): boolean {
    return this.standing.state !== 'in';
  }

  begin(runtime: Runtime): void {
    this.#order.lives?.watch.entered(this);
    this.#startLimit = this.#clock.after(START_LIMIT_MS, () => {
      this.giveUp(
        new FulcrumError(
          'start-failed',
          `${titleOf(this.revision.spec)} was not ready ${formatDuration(START_LIMIT_MS)} after its start. See its log for what it waits for.`,
        ),
      );
    });
    void this.#start(runtime);
  }

  /** Whether it may be given one more invocation. The process may be known to be gone before its end is reported. */
  hasRoom(concurrency: number): boolean {
    return this.#state === 'ready' && this.inFlight < concurrency && this.instance!.state === 'ready';
  }

  /** Stops waiting for a start. Does nothing where it has started. */
  giveUp(error: FulcrumError): void {
    if (this.#state !== 'starting') return;
    this.endReason = error.message;
    this.#to('ending');
    this.#abort.abort(error);
    if (error.code === 'start-failed') this.#host.failedToStart(this, error);
  }

  /** Takes no more work; ends when what is in flight is done, or after `drainMs`. A later call may only shorten the time. */
  drain(reason: string, drainMs: number): void {
    if (this.#state === 'ready') {
      this.endReason = reason;
      this.#to('draining');
      // Not before those have begun who were given it a moment ago: it would turn them away.
      if (this.inFlight > 0) queueMicrotask(() => this.instance!.drain());
    }
    if (this.#state !== 'draining') return;
    if (this.inFlight === 0 || drainMs <= 0) return this.#stop();
    const drainedAtMs = this.#clock.monotonicMs() + drainMs;
    if (drainedAtMs >= this.#drainedAtMs) return;
    this.#drainedAtMs = drainedAtMs;
    this.#drainLimit?.cancel();
    this.#drainLimit = this.#clock.after(drainMs, () => this.#stop());
  }

  /** Kills the process; what is in flight ends with `error`. */
  kill(error: FulcrumError, reason: string): void {
    if (this.#state === 'starting') return this.giveUp(error);
    if (this.#state === 'ended') return;
    this.endReason ??= reason;
    if (this.#state !== 'ending') this.#to('ending');
    this.instance?.kill(error);
  }

  /** Somebody has looked what it holds and has used. */
  saw(usage: InstanceUsage): void {
    this.usage = usage;
    this.life.saw(usage);
  }

  assign(): void {
    this.inFlight++;
  }

  /** One invocation on it is over. */
  finish(): void {
    this.inFlight--;
    this.served++;
    if (this.inFlight > 0) return;
    this.idleSinceMs = this.#clock.monotonicMs();
    if (this.#state === 'draining') this.#stop();
  }

  status(): InstanceStatus | null {
    if (this.#state === 'ended') return null;
    const nowMs = this.#clock.monotonicMs();
    return {
      id: this.id,
      pid: this.instance?.pid ?? 0,
      mode: this.mode,
      revision: this.revision.id,
      state: this.#state,
      inFlight: this.inFlight,
      served: this.served,
      ageMs: Math.round(nowMs - this.startedAtMs),
      memoryBytes: this.usage?.memoryBytes ?? null,
      cpuMs: this.usage?.cpuMs ?? null,
      reason: this.reason,
      endReason: this.endReason,
      inspectUrl: this.instance?.inspectUrl ?? null,
      ejectedForMs: this.ejected ? Math.max(0, Math.round(this.standing.untilMs - nowMs)) : null,
    };
  }

  /** What ended it, and not what it was to end for, where the one came before the other. */
  endedBy(end: InstanceEnded, crashed: boolean): string {
    if (!crashed || this.endReason === null) return this.endReason ?? end.reason;
    return `${end.reason} (it was draining: ${this.endReason})`;
  }

  #to(next: PooledState): void {
    if (!NEXT[this.#state].includes(next)) {
      throw new FulcrumError('internal', `Instance ${this.id} cannot go from ${this.#state} to ${next}.`);
    }
    if (this.#state === 'starting') this.#startLimit?.cancel();
    if (next === 'ending' || next === 'ended') this.#drainLimit?.cancel();
    this.#state = next;
  }

  #stop(): void {
    if (this.#state !== 'draining') return;
    this.#to('ending');
    // Its end is seen through `ended`; whether the stop itself succeeded adds nothing.
    this.instance!.stop(STOP_GRACE_MS[this.mode], this.endReason ?? 'not needed any more').catch(() => {
      this.instance!.kill(new FulcrumError('internal', `Instance ${this.id} could not be stopped.`));
    });
  }

  async #start(runtime: Runtime): Promise<void> {
    const { settings, revision, home, inspectPort } = this.#order;
    let instance: Instance;
    try {
      instance = await runtime.start({
        instanceId: this.id,
        revision,
        home,
        mode: settings.mode,
        concurrency:
          settings.mode === 'function' && settings.settings.fresh ? 1 : settings.settings.concurrency,
        memoryBytes: settings.settings.memoryBytes,
        inspectPort,
        signal: this.#abort.signal,
      });
    } catch (error) {
      this.#startFailed(startFailure(revision, error));
      return;
    }
    this.#started(instance);
  }

  #started(instance: Instance): void {
    this.instance = instance;
    void instance.ended.then((end) => this.#gone(end));
    if (this.#state !== 'starting') {
      // It became ready although its start had been given up.
      instance.kill(this.#abort.signal.reason as FulcrumError);
      return;
    }
    this.readyAtMs = this.idleSinceMs = this.#clock.monotonicMs();
    this.#to('ready');
    this.#host.becameReady(this);
  }

  #startFailed(error: FulcrumError): void {
    const before = this.#state;
    this.endReason ??= 'start failed';
    this.#to('ended');
    this.#over(
      { reason: error.message, exitCode: null, signal: null, expected: before === 'ending' },
      before,
    );
    if (before === 'starting') this.#host.failedToStart(this, error);
  }

  #gone(end: InstanceEnded): void {
    const before = this.#state;
    this.#to('ended');
    this.#over(end, before);
  }

  #over(end: InstanceEnded, before: PooledState): void {
    this.#order.lives?.watch.left(this, end);
    this.#host.ended(this, end, before);
  }
}

/** A runtime's rejection as the error that names the component, with what the runtime knows kept in `details` and `cause`. */
function startFailure({ spec }: Revision, error: unknown): FulcrumError {
  const component = spec.name;
  const what = `${titleOf(spec)} could not be started`;
  const known = error instanceof FulcrumError ? error : null;
  const exhausted = exhaustedCode(error);
  if (exhausted !== null && known?.code !== 'resources-exhausted')
    return resourcesExhausted(what, exhausted, error);
  const text = known?.message ?? (error instanceof Error ? error.message : String(error));
  return new FulcrumError(
    known?.code === 'resources-exhausted' ? 'resources-exhausted' : 'start-failed',
    text.includes(`"${component}"`) ? text : `${what}: ${text}`,
    { cause: error, details: { ...known?.details, component } },
  );
}
