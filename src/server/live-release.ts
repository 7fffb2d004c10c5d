/**
 * One release of one app while it lives: its instances, and the ways to them. A request that came to it stays within it, calls
 * to other components included.
 *
 *   starting ── first deploy() ──▶ live ── drain() ──▶ draining ── all work done, or its time over ──▶ ended
 *       └──────────── close() ──────▶ ended ◀── close() ──┘
 *
 * `draining` still takes what comes to it: a request that was routed before the route table changed.
 */
import { sleep, type Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { ModeCheck } from '../control/port.ts';
import { OutcomeCounts } from '../gateway/outcomes.ts';
import type { GatewayRelease } from '../gateway/served-release.ts';
import type { AppSpec, RunnableSpec } from '../model/app.ts';
import type { Caller } from '../model/calls.ts';
import { NO_PUBLISHER, type Publisher } from '../model/event.ts';
import type { LogSink } from '../model/log.ts';
import type { Revision } from '../model/revision.ts';
import type { UsageSink } from '../model/usage.ts';
import { createCaller } from '../scaling/caller.ts';
import { InvocationDispatcher } from '../scaling/dispatcher.ts';
import type { Habits } from '../scaling/habits.ts';
import type { MachineBudget } from '../scaling/machine-budget.ts';
import type { ModeChoice } from '../scaling/scaled-component.ts';
import type { AppLimits } from '../scaling/limits/app-limits.ts';
import { Scaler, type DeployOptions } from '../scaling/scaler.ts';
import { SecretMask } from '../secrets/mask.ts';
import { appLog } from './app-log.ts';
import { maskedLog, secretValues } from './secret-values.ts';
import { deferredCaller } from './deferred-caller.ts';
import { gatewayEvents, type GatewayEventsOptions } from './gateway-events.ts';
import type { Engines, EngineScope } from './engines.ts';
import type { Prepared } from './prepare.ts';
import type { SwitchChecks } from './switch-checks.ts';

/** Ordinary requests end in this time; what is left then are streams and WebSockets, which have to be told. */
const UNTOLD_MS = 5_000;
const LEAST_DRAIN_MS = 30_000;
const LOOK_EVERY_MS = 20;
/** For what has nothing left to do: time to end by itself. */
const QUIET_CLOSE_MS = 1_000;

/** What of a server every release is made with. */
export interface ReleaseParts {
  readonly engines: Engines;
  readonly budget: MachineBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the server as a whole. */
  readonly log: LogSink;
  readonly checks: SwitchChecks;
}

export interface LiveReleaseOptions extends ReleaseParts {
  /** Its app's id. */
  readonly app: string;
  /** Null for an app that is deployed in place and has no releases. */
  readonly number: number | null;
  readonly usage: UsageSink;
  /** Of its app. */
  readonly habits: Habits;
  /** What its environment adds to every component's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Its app's. */
  readonly limits: AppLimits;
  /** Takes the events that its components publish. */
  readonly publisher?: Publisher;
  /** Its app's: what the gateway takes and keeps for it; absent where nothing is. */
  readonly events?: GatewayEventsOptions['events'];
}

export class LiveRelease {
  readonly number: number | null;
  readonly scaler: Scaler;
  readonly dispatcher: InvocationDispatcher;
  readonly caller: Caller;
  /** How its requests have ended since it began. */
  readonly outcomes = new OutcomeCounts();
  readonly #options: LiveReleaseOptions;
  readonly #scope: EngineScope;
  readonly #mask = new SecretMask();
  #state: 'starting' | 'live' | 'draining' | 'ended' = 'starting';
  #spec: AppSpec | null = null;
  #revisions: Prepared['revisions'] = new Map();
  #switches: Promise<readonly ModeCheck[]> = Promise.resolve([]);
  #routed: GatewayRelease | null = null;
  #eventToken: string | null = null;
  #closed: Promise<void> | null = null;
  #drained: Promise<void> | null = null;

  constructor(options: LiveReleaseOptions) {
    const { engines, clock, logger, log, app, budget } = options;
    this.#options = options;
    this.number = options.number;
    const caller = deferredCaller();
    const home = {
      caller,
      publisher: options.publisher ?? NO_PUBLISHER,
      log: maskedLog(appLog(log, app), this.#mask),
      env: options.env,
    };
    this.#scope = engines.openScope(app, home);
    this.scaler = new Scaler({
      runtimeFor: (spec, mode) => engines.runtimeFor(spec, mode),
      home,
      clock,
      logger,
      startsAtOnce: budget.startsAtOnce,
      habits: options.habits,
      limits: options.limits,
      budget: { machine: budget, app },
    });
    this.dispatcher = new InvocationDispatcher({ slots: this.scaler, usage: options.usage, clock });
    this.caller = createCaller(this.dispatcher, () => this.scaler.names());
    caller.set(this.caller);
  }

  get state(): 'starting' | 'live' | 'draining' | 'ended' {
    return this.#state;
  }

  /** The settings of a component that has instances; null where there is none of that name, or nothing is deployed yet. */
  runs(component: string): RunnableSpec | null {
    const spec = this.#spec?.components.get(component);
    return spec === undefined || spec.kind === 'static' ? null : spec;
  }

  /** What is deployed. Throws `shutting-down` where nothing is yet. */
  get spec(): AppSpec {
    if (this.#spec === null)
      throw new FulcrumError('shutting-down', 'The app has not started yet.', { retryAfterS: 1 });
    return this.#spec;
  }

  /** What the gateway is given: the same object until another deploy. Throws `shutting-down` where nothing is deployed yet. */
  get routed(): GatewayRelease {
    return this.#routed ?? this.#routes(this.spec);
  }

  /** What would break of components whose mode is `auto`, were they switched. Never rejects. */
  get switches(): Promise<readonly ModeCheck[]> {
    return this.#switches;
  }

  /** What of a sandbox a component's instances have on `engine`. */
  readonly sandbox: EngineScope['sandbox'] = (component, engine) => this.#scope.sandbox(component, engine);

  /** What a component runs. Throws `not-found`. */
  revision(component: string): Revision {
    const found = this.#revisions.get(component);
    if (found === undefined) throw new FulcrumError('not-found', `There is no component '${component}'.`);
    return found;
  }

  /** What the config says of a component's mode, and what was chosen; null where there is no such component with instances. */
  choice(component: string): ModeChoice | null {
    return [...this.scaler.names()].includes(component) ? this.scaler.choice(component) : null;
  }

  /** Makes `prepared` what its instances run. A failure changes nothing. */
  async deploy(prepared: Prepared, options: DeployOptions = {}): Promise<void> {
    this.#mask.learn(secretValues(prepared));
    await this.#scope.prepare(prepared.app, prepared.revisions.values());
    await this.scaler.deploy(prepared.revisions, options);
    this.#spec = prepared.app;
    this.#revisions = prepared.revisions;
    const { checks, log, app } = this.#options;
    this.#switches = checks.tell(prepared.revisions.values(), appLog(log, app));
    this.#eventToken = prepared.eventToken;
    this.#routed = this.#routes(prepared.app);
    if (this.#state === 'starting') this.#state = 'live';
  }

  /**
   * For when nothing new is routed to it: ends it once all that it has begun is done, and at the latest after 30 s or its longest
   * timeout. Event streams and WebSockets are told to go; calls that are made meanwhile are served as ever.
   */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Refuses new work and ends every instance once its work is done, or after `drainMs`. */
  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  async #drain(): Promise<void> {
    if (this.#state === 'live') this.#state = 'draining';
    const limitMs = this.#drainLimitMs();
    const restMs = limitMs - (await this.#whenQuiet(UNTOLD_MS));
    if (!this.#isQuiet()) {
      await this.scaler.drain();
      await this.#whenQuiet(restMs);
    }
    await this.close(QUIET_CLOSE_MS);
  }

  /** @returns how long it waited. */
  async #whenQuiet(limitMs: number): Promise<number> {
    const { clock } = this.#options;
    const beganMs = clock.monotonicMs();
    while (!this.#isQuiet() && this.#closed === null && clock.monotonicMs() - beganMs < limitMs)
      await sleep(clock, LOOK_EVERY_MS);
    return clock.monotonicMs() - beganMs;
  }

  #isQuiet(): boolean {
    return this.dispatcher.running === 0;
  }

  async #close(drainMs: number): Promise<void> {
    try {
      await this.scaler.close(drainMs);
      this.dispatcher.abortAll();
    } finally {
      this.#state = 'ended';
      await this.#scope.close();
    }
  }

  #routes(spec: AppSpec): GatewayRelease {
    const { app, number, log, events, limits, clock } = this.#options;
    const { dispatcher, outcomes } = this;
    const { components, gateway } = spec;
    const token = this.#eventToken;
    const taking = events === undefined ? {} : gatewayEvents({ spec, token, events, limits, clock });
    return { app, number: number ?? 1, dispatcher, components, gateway, log, outcomes, ...taking };
  }

  #drainLimitMs(): number {
    let limitMs = LEAST_DRAIN_MS;
    for (const spec of this.#spec?.components.values() ?? []) {
      if (spec.kind === 'static') continue;
      limitMs = Math.max(limitMs, spec.function.timeoutMs, spec.service.timeoutMs, spec.service.drainMs);
    }
    return limitMs;
  }
}
