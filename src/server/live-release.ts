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
import type { ModeCheck } from '../model/mode-check.ts';
import { OutcomeCounts } from '../gateway/outcomes.ts';
import type { GatewayRelease } from '../gateway/served-release.ts';
import type { AppSpec, RunnableSpec } from '../model/app.ts';
import { NO_CALL_SINK, type Caller, type CallSink } from '../model/calls.ts';
import { NO_PUBLISHER, type Publisher } from '../model/event.ts';
import type { LogSink } from '../model/log.ts';
import { revisionOf, type Revision } from '../model/revision.ts';
import { groupOf, membersOf, unitsOf } from '../model/units.ts';
import type { InstanceSink, UsageSink } from '../model/usage.ts';
import { createCaller } from '../scaling/caller.ts';
import { InvocationDispatcher } from '../scaling/dispatcher.ts';
import type { Habits } from '../scaling/habits.ts';
import type { InstanceWatch } from '../scaling/instance-watch.ts';
import type { MachineBudget } from '../scaling/machine-budget.ts';
import type { ModeChoice } from '../scaling/scaled-component.ts';
import type { AppLimits } from '../scaling/limits/app-limits.ts';
import { Scaler, type DeployOptions } from '../scaling/scaler.ts';
import { SecretMask } from '../secrets/mask.ts';
import { appLog } from './app-log.ts';
import { maskedCalls, maskedLog, secretValues } from './secret-values.ts';
import { deferredCaller } from './deferred-caller.ts';
import { gatewayEvents, type GatewayEventsOptions } from './gateway-events.ts';
import type { Engines, EngineScope } from './engines.ts';
import type { Prepared } from './prepare.ts';
import type { StartBook } from './start-book.ts';
import type { SwitchChecks } from './switch-checks.ts';

/** Ordinary requests end in this time; what is left then are streams and WebSockets, which have to be told. */
const UNTOLD_MS = 5_000;
const LEAST_DRAIN_MS = 30_000;
const LOOK_EVERY_MS = 20;
/** For what has nothing left to do: time to end by itself. */
const QUIET_CLOSE_MS = 1_000;
/** Units that a release may have had and has no longer; of more, what was chosen for the first is forgotten. */
const MOST_CHOICES = 1_000;

/** What of a server every release is made with. */
export interface ReleaseParts {
  readonly engines: Engines;
  readonly budget: MachineBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the server as a whole. */
  readonly log: LogSink;
  readonly checks: SwitchChecks;
  /** Of all instances there are. */
  readonly instances: InstanceWatch;
}

export interface LiveReleaseOptions extends ReleaseParts {
  /** Its app's id. */
  readonly app: string;
  /** Null for an app that is deployed in place and has no releases. */
  readonly number: number | null;
  readonly usage: UsageSink;
  /** Is told what its instances live. */
  readonly lives: InstanceSink;
  /** Of its app. */
  readonly habits: Habits;
  /** Of its app. */
  readonly starts: StartBook;
  /** What its environment adds to every component's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Its app's. */
  readonly limits: AppLimits;
  /** Takes the calls that its components make; absent: nobody asks. */
  readonly calls?: CallSink;
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
  /** Components with instances, of what is being deployed, too: its instances start before it is live. */
  #callable: readonly string[] = [];
  #revisions: Prepared['revisions'] = new Map();
  /** What is being deployed, or was tried last. */
  #coming: Pick<AppSpec, 'components' | 'groups'> = { components: new Map(), groups: new Map() };
  /** Modes of units that it had before a deploy: what comes back, for it was in a group meanwhile, has its own again. */
  readonly #choices = new Map<string, ModeChoice>();
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
      calls: maskedCalls(options.calls ?? NO_CALL_SINK, this.#mask),
      components: () => this.#callable,
      publisher: options.publisher ?? NO_PUBLISHER,
      log: maskedLog(appLog(log, app), this.#mask),
      env: options.env,
    };
    this.#scope = engines.openScope(app, home);
    this.scaler = new Scaler({
      runtimeFor: (spec, mode) => options.starts.watched(engines.runtimeFor(spec, mode)),
      home,
      clock,
      logger,
      startsAtOnce: budget.startsAtOnce,
      habits: options.habits,
      limits: options.limits,
      lives: { watch: options.instances, sink: options.lives },
      budget: { machine: budget, app },
    });
    this.dispatcher = new InvocationDispatcher({ slots: this.scaler, usage: options.usage, clock });
    this.caller = createCaller({
      dispatcher: this.dispatcher,
      components: () => this.scaler.components(),
      callsOf: (component) => this.runs(component)?.calls ?? null,
      isStatic: (component) => this.#spec?.components.get(component)?.kind === 'static',
      sink: home.calls,
      clock,
      random: Math.random,
    });
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

  /** What there are instances of for `component`: its group, or itself. */
  unitOf(component: string): string {
    return groupOf(this.#spec ?? this.#coming, component) ?? component;
  }

  /** The components that each of its units holds, and each of what is being deployed. */
  get units(): readonly (readonly string[])[] {
    return [this.#coming, this.#spec ?? this.#coming].flatMap((app) => unitsOf(app).map(membersOf));
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

  /** What would break of units whose mode is `auto`, were they switched. Never rejects. */
  get switches(): Promise<readonly ModeCheck[]> {
    return this.#switches;
  }

  /** What of a sandbox a unit's instances have on `engine`. */
  readonly sandbox: EngineScope['sandbox'] = (unit, engine) => this.#scope.sandbox(unit, engine);

  /** What a unit runs, or a component, by itself or in a group. Throws `not-found`. */
  revision(name: string): Revision {
    const unit = this.#revisions.get(name);
    if (unit !== undefined) return unit;
    for (const revision of this.#revisions.values()) {
      const found = revisionOf(revision, name);
      if (found !== null) return found;
    }
    throw new FulcrumError('not-found', `There is no component '${name}'.`);
  }

  /** What the config says of a unit's mode, and what was chosen; null where nothing of that name has instances of its own. */
  choice(unit: string): ModeChoice | null {
    return this.#revisions.has(unit) ? this.scaler.choice(unit) : null;
  }

  /** Makes `prepared` what its instances run. A failure changes nothing. */
  async deploy(prepared: Prepared, options: DeployOptions = {}): Promise<void> {
    this.#mask.learn(secretValues(prepared));
    await this.#scope.prepare(prepared.app, prepared.revisions.values());
    this.#rememberChoices();
    const modes = new Map([...(options.modes ?? []), ...this.#choices]);
    this.#coming = prepared.app;
    const before = this.#callable;
    this.#callable = callableOf(prepared.app);
    try {
      await this.scaler.deploy(prepared.revisions, { ...options, modes });
    } catch (error) {
      this.#callable = before;
      throw error;
    }
    this.#scope.deployed(prepared.app);
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

  #rememberChoices(): void {
    for (const unit of this.#revisions.keys()) {
      const choice = this.scaler.choice(unit);
      if (choice === null) continue;
      this.#choices.delete(unit);
      this.#choices.set(unit, choice);
      if (this.#choices.size > MOST_CHOICES) this.#choices.delete(this.#choices.keys().next().value!);
    }
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

function callableOf({ components }: AppSpec): string[] {
  return [...components.values()].filter(({ kind }) => kind !== 'static').map(({ name }) => name);
}
