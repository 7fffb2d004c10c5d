import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { requestId } from '../base/ids.ts';
import { nearest } from '../base/suggest.ts';
import type { LogReader } from '../control/log-book.ts';
import type {
  CloudEventsRequest,
  ControlPort,
  ManualInvocation,
  ManualResult,
  ModeChange,
  ModeCheck,
} from '../control/port.ts';
import type { AppEvents } from '../model/app-events.ts';
import type { Published } from '../model/event.ts';
import type { CapacityReader, CapacityReport } from '../model/capacity.ts';
import type { ChosenMode } from '../model/app-record.ts';
import type { AppSpec, ChosenLimits, ComponentSpec, Limits, ModeSetting } from '../model/app.ts';
import type { InvocationResult } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { AppStatus, BacklogStatus, ComponentStatus, LimitsStatus } from '../model/status.ts';
import { limitsText } from '../model/limits-text.ts';
import { modeFor } from '../scaling/mode-settings.ts';
import { KEPT_DECISIONS } from '../scaling/decisions.ts';
import type { ComponentScaleStatus } from '../scaling/scaled-component.ts';
import type { Engines } from './engines.ts';
import type { LiveRelease } from './live-release.ts';
import { publishCloudEvents } from './gateway-events.ts';
import { manualInvocation } from './manual-invocation.ts';
import type { RunningApp } from './running-app.ts';
import { refuseUnsafe } from './switch-checks.ts';
import { newTraceparent } from './traceparent.ts';

export interface AppControlOptions {
  readonly app: RunningApp;
  readonly engines: Pick<Engines, 'choice'>;
  readonly logs: LogReader;
  readonly clock: Clock;
  /** Throws where nothing may be changed now. */
  readonly mayChange?: () => void;
  /** Keeps a mode that was chosen by hand; called when it serves. */
  readonly keepMode?: (component: string, mode: ChosenMode) => Promise<void>;
  /** Keeps limits that were chosen by hand, likewise; null: there are none any more. */
  readonly keepLimits?: (component: string, choice: ChosenLimits | null) => Promise<void>;
}

/** What the admin API may ask and do, over the rooms that know and can. */
export class AppControl implements ControlPort {
  readonly logs: LogReader;
  readonly #options: AppControlOptions;
  readonly #startedAtMs: number;
  #gatewayUrl = '';
  #failedDeploy: AppStatus['failedDeploy'] = null;

  constructor(options: AppControlOptions) {
    this.#options = options;
    this.logs = options.logs;
    this.#startedAtMs = options.clock.nowMs();
  }

  /** Called when a deploy serves. */
  deployed(): void {
    this.#failedDeploy = null;
  }

  setGatewayUrl(url: string): void {
    this.#gatewayUrl = url;
  }

  /** Called when a deploy failed and the one before it goes on serving. */
  deployFailed(error: unknown): void {
    this.#failedDeploy = { atMs: this.#options.clock.nowMs(), message: messageOf(error) };
  }

  app(): AppStatus {
    const app = this.#served();
    return {
      name: app.name,
      directory: app.directory,
      environment: app.environment,
      gatewayUrl: this.#gatewayUrl,
      startedAtMs: this.#startedAtMs,
      components: app.components.size,
      failedDeploy: this.#failedDeploy,
    };
  }

  async components(): Promise<readonly ComponentStatus[]> {
    const { app } = this.#options;
    const serving = this.#serving();
    await Promise.all(app.live.map(({ scaler }) => scaler.measure()));
    const others = app.live.filter((release) => release !== serving).flatMap(({ scaler }) => scaler.status());
    const scaled = new Map(serving.scaler.status().map((status) => [status.name, status]));
    return await Promise.all(
      [...serving.spec.components.values()].map(async (spec) => {
        const scaledWith = withInstancesOf(scaled.get(spec.name), others);
        return this.#statusOf(serving, spec, scaledWith, await this.#backlog(spec));
      }),
    );
  }

  get events(): AppEvents {
    return this.#options.app.events;
  }

  async publishCloudEvents({ fields, body }: CloudEventsRequest): Promise<readonly Published[]> {
    return await publishCloudEvents(this.events, fields, body);
  }

  async capacity(days: number, reader: CapacityReader): Promise<CapacityReport> {
    return this.#options.app.capacity.report(days, reader);
  }

  async setMode(component: string, mode: ModeSetting, { force } = { force: false }): Promise<ModeChange> {
    this.#runnable(component, 'has no mode');
    if (!force) refuseUnsafe(await this.checkMode(component, mode));
    const { app, keepMode, mayChange } = this.#options;
    mayChange?.();
    const serving = this.#serving();
    const before = app.canary?.choice(component)?.chosen ?? null;
    const canary = before === null ? null : app.canary;
    // The canary first: it has fewer clients, and where it cannot follow nothing has changed for the others.
    await canary?.scaler.setMode(component, mode);
    try {
      const switched = await serving.scaler.setMode(component, mode);
      const { configured } = serving.choice(component)!;
      await keepMode?.(component, { configured, chosen: mode, mode: switched.to });
      return { component, ...switched };
    } catch (error) {
      await canary?.scaler.setMode(component, before ?? mode).catch(() => undefined);
      throw error;
    }
  }

  async checkMode(component: string, mode: ModeSetting): Promise<ModeCheck> {
    this.#runnable(component, 'has no mode');
    const { app } = this.#options;
    const release = this.#serving();
    return app.checks.check(release.revision(component), release.scaler.mode(component), modeFor(mode));
  }

  limits(component: string): LimitsStatus {
    this.#runnable(component, 'has no limits');
    return this.#options.app.limits.of(component).status();
  }

  async setLimits(component: string, limits: Limits | null): Promise<LimitsStatus> {
    this.#runnable(component, 'has no limits');
    const { app, keepLimits, mayChange } = this.#options;
    mayChange?.();
    const of = app.limits.of(component);
    const before = of.choice;
    const choice = app.limits.choose(component, limits);
    try {
      await keepLimits?.(component, choice);
    } catch (error) {
      // Unless somebody else has chosen meanwhile.
      if (of.choice === choice) of.choose(before);
      throw error;
    }
    app.capacity.forget();
    const said = limitsText(of.holds);
    this.#serving().scaler.note(
      component,
      choice === null ? `limits as the config says: ${said}` : `limits set by hand: ${said}`,
    );
    return of.status();
  }

  async invoke(component: string, request: ManualInvocation, signal: AbortSignal): Promise<ManualResult> {
    const spec = this.#runnable(component, 'cannot be invoked');
    const { clock } = this.#options;
    const { dispatcher } = this.#serving();
    const id = requestId();
    const begunMs = clock.monotonicMs();
    const invocation = manualInvocation(spec, request, clock.nowMs());
    const seen: { slot: Slot | null } = { slot: null };
    const end: Partial<InvocationResult> & Pick<InvocationResult, 'outcome' | 'error'> = await dispatcher.run(
      component,
      {
        requestId: id,
        traceparent: newTraceparent(),
        trigger: 'manual',
        signal,
        deadlineMs: null,
        client: null,
        affinityKey: null,
      },
      (slot, context) => {
        seen.slot = slot;
        return slot.instance.invoke(invocation, context);
      },
    );
    const durationMs = clock.monotonicMs() - begunMs - (seen.slot?.waitedMs ?? 0);
    return {
      outcome: end.outcome,
      value: end.value ? parseAnswer(end.value.bytes) : undefined,
      thrown: end.thrown ?? undefined,
      requestId: id,
      durationMs,
      cold: seen.slot?.cold ?? false,
      billedMs: seen.slot?.mode === 'function' ? Math.ceil(durationMs + seen.slot.startMs) : 0,
      error: end.error ? { code: end.error.code, message: end.error.message } : undefined,
    };
  }

  #statusOf(
    release: LiveRelease,
    spec: ComponentSpec,
    scaled: ComponentScaleStatus | undefined,
    backlog: BacklogStatus | null,
  ): ComponentStatus {
    const choice =
      spec.kind === 'static' || !scaled?.mode
        ? null
        : this.#options.engines.choice(spec, scaled.mode, scaled.revision);
    return {
      name: spec.name,
      kind: spec.kind,
      modeSetting: scaled?.modeSetting ?? null,
      mode: scaled?.mode ?? null,
      revision: scaled?.revision ?? null,
      engine: choice?.engine ?? null,
      engineReason: choice?.reason ?? null,
      sandbox: choice === null ? null : release.sandbox(spec.name, choice.engine),
      routes: spec.routes.map((route) => `${route.host ?? ''}${route.path}`),
      events: spec.kind === 'static' ? [] : (spec.subscription?.types ?? []),
      schedules: this.#options.app.events.schedules(spec.name),
      backlog,
      instances: scaled?.instances ?? [],
      queued: scaled?.queued ?? 0,
      lastMinute: spec.kind === 'static' ? null : this.#options.app.meter.lastMinute(spec.name),
      lastError: scaled?.lastError ?? null,
      decisions: scaled?.decisions ?? [],
      limits: spec.kind === 'static' ? null : this.#options.app.limits.of(spec.name).status(),
    };
  }

  /** Null, too, where the store does not say: what runs is to be seen all the same. */
  async #backlog(spec: ComponentSpec): Promise<BacklogStatus | null> {
    return spec.kind === 'static'
      ? null
      : await this.#options.app.events.backlog(spec.name).catch(() => null);
  }

  #runnable(component: string, otherwise: string): Exclude<ComponentSpec, { kind: 'static' }> {
    const { components } = this.#served();
    const spec = components.get(component);
    if (spec === undefined) {
      const near = nearest(component, components.keys());
      throw new FulcrumError(
        'not-found',
        `There is no component '${component}'.${near ? ` Did you mean '${near}'?` : ''}`,
      );
    }
    if (spec.kind === 'static') {
      throw new FulcrumError(
        'bad-request',
        `'${component}' serves static files: it has no instances and ${otherwise}.`,
      );
    }
    return spec;
  }

  #served(): AppSpec {
    return this.#serving().spec;
  }

  #serving(): LiveRelease {
    const { serving } = this.#options.app;
    if (serving === null)
      throw new FulcrumError('shutting-down', 'The app has not started yet.', { retryAfterS: 1 });
    return serving;
  }
}

/** With the instances that other releases of its app still or already have, and why those came and went. */
function withInstancesOf(
  serving: ComponentScaleStatus | undefined,
  others: readonly ComponentScaleStatus[],
): ComponentScaleStatus | undefined {
  if (serving === undefined) return undefined;
  const same = others.filter(({ name }) => name === serving.name);
  if (same.length === 0) return serving;
  const all = [serving, ...same];
  return {
    ...serving,
    instances: all.flatMap(({ instances }) => instances),
    decisions: all
      .flatMap(({ decisions }) => decisions)
      .toSorted((a, b) => a.atMs - b.atMs)
      .slice(-KEPT_DECISIONS),
  };
}

function parseAnswer(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
