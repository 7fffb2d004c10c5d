import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { requestId } from '../base/ids.ts';
import { nearest } from '../base/suggest.ts';
import type { LogBook } from '../control/log-book.ts';
import type { ControlPort, ManualInvocation, ManualResult, ModeChange } from '../control/port.ts';
import type { UsageMeter } from '../meter/usage-meter.ts';
import type { AppSpec, ComponentSpec, ModeSetting } from '../model/app.ts';
import type { Dispatcher } from '../model/dispatch.ts';
import type { InvocationResult } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { AppStatus, ComponentStatus } from '../model/status.ts';
import type { ComponentScaleStatus } from '../scaling/scaled-component.ts';
import type { Scaler } from '../scaling/scaler.ts';
import type { Engines } from './engines.ts';
import { manualInvocation } from './manual-invocation.ts';
import { newTraceparent } from './traceparent.ts';

export interface AppControlOptions {
  readonly scaler: Scaler;
  readonly dispatcher: Dispatcher;
  readonly meter: UsageMeter;
  readonly engines: Pick<Engines, 'choice' | 'sandbox'>;
  readonly logs: LogBook;
  readonly clock: Clock;
}

/** What the admin API may ask and do, over the rooms that know and can. */
export class AppControl implements ControlPort {
  readonly logs: LogBook;
  readonly #options: AppControlOptions;
  readonly #startedAtMs: number;
  #app: AppSpec | null = null;
  #gatewayUrl = '';
  #failedDeploy: AppStatus['failedDeploy'] = null;

  constructor(options: AppControlOptions) {
    this.#options = options;
    this.logs = options.logs;
    this.#startedAtMs = options.clock.nowMs();
  }

  /** Called when a deploy serves. */
  setApp(app: AppSpec): void {
    this.#app = app;
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
    const { scaler } = this.#options;
    await scaler.measure();
    const scaled = new Map(scaler.status().map((status) => [status.name, status]));
    return [...this.#served().components.values()].map((spec) => this.#statusOf(spec, scaled.get(spec.name)));
  }

  async setMode(component: string, mode: ModeSetting): Promise<ModeChange> {
    this.#runnable(component, 'has no mode');
    return { component, ...(await this.#options.scaler.setMode(component, mode)) };
  }

  async invoke(component: string, request: ManualInvocation, signal: AbortSignal): Promise<ManualResult> {
    const spec = this.#runnable(component, 'cannot be invoked');
    const { clock, dispatcher } = this.#options;
    const id = requestId();
    const begunMs = clock.monotonicMs();
    const invocation = manualInvocation(spec, request, clock.nowMs());
    const seen: { slot: Slot | null } = { slot: null };
    const end: Partial<InvocationResult> & Pick<InvocationResult, 'outcome' | 'error'> = await dispatcher.run(
      component,
      { requestId: id, traceparent: newTraceparent(), trigger: 'manual', signal, deadlineMs: null },
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

  #statusOf(spec: ComponentSpec, scaled: ComponentScaleStatus | undefined): ComponentStatus {
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
      sandbox: choice === null ? null : this.#options.engines.sandbox(spec.name, choice.engine),
      routes: spec.routes.map((route) => `${route.host ?? ''}${route.path}`),
      events: spec.kind === 'module' ? spec.events : [],
      schedule: spec.kind === 'module' ? (spec.schedule?.cron ?? null) : null,
      instances: scaled?.instances ?? [],
      queued: scaled?.queued ?? 0,
      lastMinute: spec.kind === 'static' ? null : this.#options.meter.lastMinute(spec.name),
      lastError: scaled?.lastError ?? null,
    };
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
    if (this.#app === null)
      throw new FulcrumError('shutting-down', 'The app has not started yet.', { retryAfterS: 1 });
    return this.#app;
  }
}

function parseAnswer(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
