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
  ModeOptions,
} from '../control/port.ts';
import type { ModeCheck } from '../model/mode-check.ts';
import type { AppEvents } from '../model/app-events.ts';
import type { Published } from '../model/event.ts';
import type { CallGraph } from '../model/calls.ts';
import type { CapacityReader, CapacityReport } from '../model/capacity.ts';
import type { ChosenMode } from '../model/app-record.ts';
import type { AppSpec, ChosenLimits, ComponentSpec, Limits, Mode, ModeSetting } from '../model/app.ts';
import type { UsageLine, UsageSpan } from '../model/usage-export.ts';
import type { InvocationResult } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { AppStatus, ComponentStatus, GroupStatus, LimitsStatus } from '../model/status.ts';
import type { ModeHistoryStore, ModeStep } from '../model/mode-history.ts';
import { limitsText } from '../model/limits-text.ts';
import { groupOf, membersOf } from '../model/units.ts';
import { modeOf } from '../scaling/mode-settings.ts';
import { AppStatuses } from './app-statuses.ts';
import type { Engines } from './engines.ts';
import type { LiveRelease } from './live-release.ts';
import { publishCloudEvents } from './gateway-events.ts';
import { manualInvocation } from './manual-invocation.ts';
import type { RunningApp } from './running-app.ts';
import { refuseUnsafe } from './switch-checks.ts';
import { modeStepId } from './mode-step-id.ts';
import { newTraceparent } from './traceparent.ts';

export interface AppControlOptions {
  readonly app: RunningApp;
  readonly engines: Pick<Engines, 'choice'>;
  readonly logs: LogReader;
  readonly clock: Clock;
  /** Throws where nothing may be changed now. */
  readonly mayChange?: () => void;
  /** Keeps a mode that was chosen by hand for a component or a group; called when it serves. */
  readonly keepMode?: (unit: string, mode: ChosenMode) => Promise<void>;
  /** Keeps what `auto` means; where several servers share what is kept, one of the others may have been told a mode by hand. */
  readonly kept?: {
    readonly chosenByHand: (
      unit: string,
      present: Pick<ChosenMode, 'configured' | 'isGroup'>,
    ) => Promise<ChosenMode | null>;
    /** Rejects with `conflict` where a mode was chosen by hand meanwhile. */
    readonly keepAuto: (unit: string, mode: ChosenMode) => Promise<void>;
  };
  /** Where steps of modes are kept. Absent: nowhere. */
  readonly modes?: Pick<ModeHistoryStore, 'append' | 'steps'>;
  /** Keeps limits that were chosen by hand, likewise; null: there are none any more. */
  readonly keepLimits?: (component: string, choice: ChosenLimits | null) => Promise<void>;
}

/** What the admin API may ask and do, over the rooms that know and can. */
export class AppControl implements ControlPort {
  readonly logs: LogReader;
  readonly #options: AppControlOptions;
  readonly #startedAtMs: number;
  readonly #statuses: AppStatuses;
  #gatewayUrl = '';
  #failedDeploy: AppStatus['failedDeploy'] = null;

  constructor(options: AppControlOptions) {
    this.#options = options;
    this.logs = options.logs;
    this.#startedAtMs = options.clock.nowMs();
    this.#statuses = new AppStatuses(options);
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

  components(): Promise<readonly ComponentStatus[]> {
    return Promise.try(() => this.#statuses.components(this.#serving()));
  }

  groups(): Promise<readonly GroupStatus[]> {
    return Promise.try(() => this.#statuses.groups(this.#serving()));
  }

  get events(): AppEvents {
    return this.#options.app.events;
  }

  async publishCloudEvents({ fields, body }: CloudEventsRequest): Promise<readonly Published[]> {
    return await publishCloudEvents(this.events, fields, body);
  }

  calls(windowMs: number): CallGraph {
    return this.#options.app.callGraph(windowMs);
  }

  async capacity(days: number, reader: CapacityReader): Promise<CapacityReport> {
    return this.#options.app.capacity.report(days, reader);
  }

  usage(span: UsageSpan): AsyncIterable<UsageLine> {
    return this.#options.app.usage.lines(span);
  }

  async setMode(
    unit: string,
    mode: ModeSetting,
    { force = false, by = 'server' }: ModeOptions = {},
  ): Promise<ModeChange> {
    this.#assertUnit(unit, mode);
    if (!force) refuseUnsafe(await this.checkMode(unit, mode));
    const before = this.#serving().choice(unit)?.chosen;
    const change = await this.#switch(unit, mode);
    if (change.from !== change.to || before !== mode) await this.#tell(change, mode, by);
    return change;
  }

  /**
   * What `mode: 'auto'` means from now on; at once where it does already. What a person says holds: rejects with `conflict` where the mode was
   * chosen by hand, here or at another server, or a canary is tried out; with `switch-unsafe`, and as `setMode`. Then all is as before.
   * @param keep false: for this server alone.
   */
  async switchAuto(unit: string, to: Mode, keep: boolean): Promise<ModeChange> {
    this.#assertUnit(unit, 'auto');
    const { app, kept, mayChange } = this.#options;
    mayChange?.();
    if (app.canary !== null)
      throw new FulcrumError('conflict', 'While a canary is tried out, auto switches nothing.');
    const serving = this.#serving();
    const { scaler, spec } = serving;
    const { configured } = serving.choice(unit)!;
    const present = { configured, ...(spec.groups.has(unit) && { isGroup: true }) };
    const byHand = (await kept?.chosenByHand(unit, present)) ?? null;
    if (byHand !== null) {
      await scaler.setMode(unit, byHand.chosen);
      throw new FulcrumError('conflict', `'${unit}' has been made a ${byHand.chosen} by hand meanwhile.`);
    }
    const from = scaler.mode(unit);
    // Its code may be another one than the one that was decided by.
    if (keep) refuseUnsafe(await app.checks.check(serving.revision(unit), from, to));
    const switched = await scaler.meanAuto(unit, to);
    try {
      if (keep) await kept?.keepAuto(unit, { ...present, chosen: 'auto', mode: switched.to });
    } catch (error) {
      await scaler.meanAuto(unit, switched.from).catch(() => undefined);
      throw error;
    }
    return { component: unit, ...switched };
  }

  async checkMode(unit: string, mode: ModeSetting): Promise<ModeCheck> {
    this.#assertUnit(unit, mode);
    const { app } = this.#options;
    const release = this.#serving();
    const present = release.scaler.mode(unit);
    // With `auto` it stays what it is until something is decided.
    return app.checks.check(release.revision(unit), present, mode === 'auto' ? present : mode);
  }

  async modeHistory(unit: string | null, before: string | null, limit: number): Promise<readonly ModeStep[]> {
    const { app, modes } = this.#options;
    return (await modes?.steps(app.id, unit, before, limit)) ?? [];
  }

  async #switch(unit: string, mode: ModeSetting): Promise<ModeChange> {
    const { app, keepMode, mayChange } = this.#options;
    mayChange?.();
    const serving = this.#serving();
    const before = app.canary?.choice(unit) ?? null;
    const canary = before === null ? null : app.canary;
    // The canary first: it has fewer clients, and where it cannot follow nothing has changed for the others.
    await canary?.scaler.setMode(unit, mode);
    try {
      const switched = await serving.scaler.setMode(unit, mode);
      const { configured } = serving.choice(unit)!;
      const isGroup = serving.spec.groups.has(unit);
      await keepMode?.(unit, { configured, chosen: mode, mode: switched.to, ...(isGroup && { isGroup }) });
      return { component: unit, ...switched };
    } catch (error) {
      await canary?.scaler
        .setMode(unit, before?.chosen ?? mode, before === null ? null : modeOf(before))
        .catch(() => undefined);
      throw error;
    }
  }

  /** It serves already: that it is not in the history is no reason to say that it failed. */
  async #tell({ component, from, to }: ModeChange, mode: ModeSetting, by: string): Promise<void> {
    const { app, clock, modes } = this.#options;
    const atMs = clock.nowMs();
    const step: ModeStep = {
      ...{ id: modeStepId(atMs), atMs, unit: component, by, from, to, figures: {} },
      kind: from === to ? 'kept' : 'switched',
      reason: mode === 'auto' ? `Its mode is auto from now on, and it is a ${to}.` : `Made a ${to} by hand.`,
    };
    // What auto knew of it was of what has just been changed by hand.
    const forgotten = { unit: component, state: '', savedAtMs: atMs };
    await modes?.append(app.id, [step], [forgotten]).catch((error: unknown) => {
      this.#serving().scaler.note(component, `that could not be kept in its history: ${messageOf(error)}`);
    });
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

  #runnable(component: string, otherwise: string): Exclude<ComponentSpec, { kind: 'static' }> {
    const { components, groups } = this.#served();
    const spec = components.get(component);
    const group = groups.get(component);
    if (group !== undefined) {
      throw new FulcrumError(
        'bad-request',
        `'${component}' is a group and ${otherwise}. Its members: ${membersOf(group).join(', ')}.`,
      );
    }
    if (spec === undefined) {
      const near = nearest(component, [...components.keys(), ...groups.keys()]);
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

  /** That `unit` is what has a mode of its own: a group, or a component that is in none. */
  #assertUnit(unit: string, mode: ModeSetting): void {
    const app = this.#served();
    if (app.groups.has(unit)) return;
    this.#runnable(unit, 'has no mode');
    const group = groupOf(app, unit);
    if (group === null) return;
    const members = membersOf(app.groups.get(group)!).join(', ');
    throw new FulcrumError(
      'bad-request',
      `'${unit}' has no mode of its own: it is in the group '${group}' (${members}), whose members share their processes. Switch the group: \`fulcrum mode ${group} ${mode}\`.`,
      { details: { group } },
    );
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

function parseAnswer(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
