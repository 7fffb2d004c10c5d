/**
 * `mode: 'auto'`, of all apps of a server: once a window for each unit, what came is looked at, something is decided, and that is carried out, kept and
 * told. One server decides for an app; others that share its store follow.
 *
 *   resting ── begin() ──▶ looking ── rest(): what is under way is ended ──▶ resting
 */
import { memoryOf, memoryText, type AutoMemory } from '../advisor/auto/auto-memory.ts';
import type { AutoWindow } from '../advisor/auto/auto-window.ts';
import { UsageThread } from '../advisor/auto/usage-thread.ts';
import { decideMode, notSwitched, switched, type AutoDecision } from '../advisor/auto/decide-mode.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { FulcrumError, messageOf, type ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { UsageHistory } from '../meter/usage-history.ts';
import type { AutoSettings } from '../model/advice-facts.ts';
import type { Mode } from '../model/app.ts';
import type { ModeHistoryStore, ModeStep, ModeStepKind } from '../model/mode-history.ts';
import { membersOf, unitsOf } from '../model/units.ts';
import type { UsageStore } from '../model/usage-store.ts';
import { AutoLook, type AutoSight } from './auto-look.ts';
import { hasStoodStill, lastMinute, nextMinute, windowSpan } from './auto-span.ts';
import { modeStepId } from './mode-step-id.ts';
import type { RunningApp } from './running-app.ts';

export interface AutoModesOptions {
  readonly apps: () => Iterable<RunningApp>;
  readonly store: ModeHistoryStore;
  readonly usage: UsageStore;
  /** Makes a unit of mode auto run so, as a switch by hand would; `keep` false: only here, for who decides has kept it. */
  readonly switchUnit: (app: string, unit: string, to: Mode, keep: boolean) => Promise<void>;
  /** Never the same of two servers that live at the same time. */
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly read?: AutoSight['read'];
  readonly books?: AutoSight['books'];
}

const LOOK_EVERY_MS = 1_000;
/** Until an app whose round failed is looked at again. */
const STUMBLED_MS = 60_000;
/** Longer than one unit takes; it is asked for anew before each. Who decides the next round is of no matter: all that is known is kept. */
const LEASE_MS = 600_000;
const FOLLOW_EVERY_MS = 60_000;
const PRUNE_EVERY_MS = 86_400_000;
const KEPT_MS = 400 * 86_400_000;
const KEPT_STEPS = 1_000;
/** Where these fail, they fail for all units of an app. */
const ALL_UNITS: ReadonlySet<ErrorCode> = new Set(['store-failed', 'shutting-down']);

/** What is known of an app between rounds. */
interface Known {
  readonly memories: Map<string, AutoMemory>;
  /** Another server decided when this one asked last; null: it has not asked yet. */
  follows: boolean | null;
  /** Nothing is looked at before, by the wall's clock. */
  notBeforeMs: number;
  /** From when on its usage is known whole; null: not yet. */
  wholeFromMs: number | null;
  /** Units that could not be decided about, and are let be for longer each time: the others go on. */
  readonly stumbled: Map<string, { readonly attempts: number; readonly notBeforeMs: number }>;
}

export class AutoModes {
  readonly #o: AutoModesOptions;
  readonly #known = new WeakMap<RunningApp, Known>();
  #timer: Timer | null = null;
  #ending = new AbortController();
  #round: Promise<void> | null = null;
  #pruneAtMs = 0;
  /** End of the last round. */
  #lookedMs: number | null = null;

  constructor(options: AutoModesOptions) {
    this.#o = options;
  }

  /** Idempotent. */
  begin(): void {
    if (this.#timer !== null) return;
    this.#ending = new AbortController();
    this.#lookedMs = null;
    this.#timer = this.#o.clock.every(LOOK_EVERY_MS, () => void this.look());
  }

  /** Decides nothing any more, until it begins again; resolves when nothing is under way. */
  async rest(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#ending.abort(new Error('The server rests.'));
    await this.#round;
  }

  /** One round over all apps; the timer calls it. While one is under way there is no other. Never rejects. */
  look(): Promise<void> {
    this.#round ??= this.#look().finally(() => (this.#round = null));
    return this.#round;
  }

  async #look(): Promise<void> {
    const { apps, clock, logger } = this.#o;
    if (hasStoodStill(this.#lookedMs, clock.nowMs())) {
      for (const app of apps()) this.#known.delete(app);
      this.#pruneAtMs = 0;
    }
    for (const app of apps()) {
      if (this.#ending.signal.aborted) return;
      const known = this.#knownOf(app);
      const nowMs = clock.nowMs();
      try {
        await this.#lookAt(app, known, nowMs);
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        known.notBeforeMs = nowMs + STUMBLED_MS;
        logger.warn(
          { app: app.id, error: messageOf(error) },
          'what auto should do could not be decided; tried again in a minute',
        );
      }
    }
    this.#lookedMs = clock.nowMs();
  }

  async #lookAt(app: RunningApp, known: Known, nowMs: number): Promise<void> {
    const { serving, canary } = app;
    if (serving === null) return;
    // While two releases share the traffic, nothing is said of either by what both used.
    if (known.wholeFromMs === null || canary !== null) known.wholeFromMs = nextMinute(nowMs);
    if (canary !== null || nowMs < known.notBeforeMs) return;
    const settings = serving.spec.advisor.auto;
    const units = unitsOf(serving.spec).flatMap(({ name }) =>
      serving.choice(name)?.chosen === 'auto' ? [name] : [],
    );
    const toMs = lastMinute(nowMs);
    const isDue = (unit: string): boolean => {
      const seenToMs = known.memories.get(unit)?.seenToMs ?? null;
      const span = windowSpan({ seenToMs, wholeFromMs: known.wholeFromMs!, toMs }, settings);
      return span !== null && nowMs >= (known.stumbled.get(unit)?.notBeforeMs ?? -Infinity);
    };
    if (units.length === 0 || (known.follows === false && !units.some(isDue))) return;
    const leads = await this.#leads(app);
    // What is kept holds: another server may have decided since, or this one have kept nothing of its last round.
    await this.#recall(app, known);
    if (!leads || known.follows !== false) await this.#follow(app, known, units);
    known.follows = !leads;
    if (!leads) {
      known.memories.clear();
      known.notBeforeMs = nowMs + FOLLOW_EVERY_MS;
      return;
    }
    if (nowMs >= this.#pruneAtMs) {
      this.#pruneAtMs = nowMs + PRUNE_EVERY_MS;
      await this.#o.store.prune(app.id, nowMs - KEPT_MS, KEPT_STEPS);
    }
    const look = new AutoLook({
      lines: (span) => app.usage.lines(span),
      history: new UsageHistory(app.id, this.#o.usage),
      members: new Map(unitsOf(serving.spec).map((unit) => [unit.name, membersOf(unit)])),
      read: this.#o.read ?? ((lines, members, signal) => UsageThread.read(lines, members, signal)),
      ...(this.#o.books === undefined ? {} : { books: this.#o.books }),
      signal: this.#ending.signal,
    });
    const seenOf = (unit: string): number => known.memories.get(unit)?.seenToMs ?? 0;
    try {
      // Those whose windows are the same one after the other, so that each is read once.
      for (const unit of units.filter(isDue).toSorted((a, b) => seenOf(a) - seenOf(b))) {
        this.#ending.signal.throwIfAborted();
        // With many units a round is longer than a lease, and another server may go on with it.
        if (!(await this.#leads(app))) return;
        try {
          await this.#decide(app, known, look, unit, toMs);
          known.stumbled.delete(unit);
        } catch (error) {
          this.#ending.signal.throwIfAborted();
          this.#stumble(app, known, unit, settings, error);
        }
      }
    } finally {
      await unlessAborted(look.close(), this.#ending.signal).catch(() => undefined);
    }
  }

  #leads(app: RunningApp): Promise<boolean> {
    const { store, node, clock } = this.#o;
    const nowMs = clock.nowMs();
    return store.lease({ app: app.id, node, nowMs, untilMs: nowMs + LEASE_MS });
  }

  /** Throws what is no matter of one unit. */
  #stumble(app: RunningApp, known: Known, unit: string, { windowMs }: AutoSettings, error: unknown): void {
    if (error instanceof FulcrumError && ALL_UNITS.has(error.code)) throw error;
    const { clock, logger } = this.#o;
    const attempts = (known.stumbled.get(unit)?.attempts ?? 0) + 1;
    const waitMs = Math.min(Math.max(windowMs, STUMBLED_MS), STUMBLED_MS * 2 ** Math.min(attempts - 1, 30));
    known.stumbled.set(unit, { attempts, notBeforeMs: clock.nowMs() + waitMs });
    logger.warn(
      { app: app.id, unit, error: messageOf(error) },
      `what auto should do with it could not be decided; tried again in ${formatDuration(waitMs)}`,
    );
  }

  async #decide(app: RunningApp, known: Known, look: AutoLook, unit: string, toMs: number): Promise<void> {
    const { clock } = this.#o;
    const { signal } = this.#ending;
    const { serving } = app;
    const facts = await unlessAborted(app.facts.of(unit), signal);
    if (facts === null || serving === null || facts.modeSetting !== 'auto') return;
    const { advisor } = serving.spec;
    const { auto: settings } = advisor;
    const memory = known.memories.get(unit) ?? null;
    const about = { seenToMs: memory?.seenToMs ?? null, wholeFromMs: known.wholeFromMs!, toMs };
    const span = windowSpan(about, settings);
    if (span === null) return;
    const window = await unlessAborted(look.window(facts, advisor, span.fromMs, span.toMs), signal);
    // It was long in coming: of a unit that somebody has given a mode meanwhile, or that another server decides about, nothing is said.
    const isSame = app.serving === serving && app.canary === null && serving.scaler.mode(unit) === facts.mode;
    if (!isSame || serving.choice(unit)?.chosen !== 'auto' || !(await this.#leads(app))) return;
    const decided = decideMode(memory, window, settings, clock.nowMs());
    const { decision } = decided;
    if (decision.kind === 'stay') return await this.#keep(app, known, unit, decided.memory, null);
    if (decision.kind !== 'switch')
      return await this.#keep(app, known, unit, decided.memory, this.#step(unit, decision, decision.kind));
    await this.#carryOut({ app, known, unit, memory: decided.memory, window, decision, settings });
  }

  async #carryOut({ app, known, unit, memory, window, decision, settings }: Move): Promise<void> {
    const { clock, switchUnit } = this.#o;
    try {
      await switchUnit(app.id, unit, decision.to, true);
    } catch (error) {
      this.#ending.signal.throwIfAborted();
      // Somebody has chosen a mode by hand, or tries out a canary: it is theirs.
      if (error instanceof FulcrumError && error.code === 'conflict') throw error;
      const reason = `${messageOf(error)} ${decision.reason}`;
      const step = this.#step(unit, { ...decision, reason }, 'failed');
      return await this.#keep(app, known, unit, notSwitched(memory, settings, clock.nowMs()), step);
    }
    const step = this.#step(unit, decision, decision.why === 'undo' ? 'undone' : 'switched');
    const after = switched(memory, window, decision, settings, clock.nowMs());
    await this.#keep(app, known, unit, after, step);
  }

  /** Kept first, then told: what is in the log is in the history. */
  async #keep(
    app: RunningApp,
    known: Known,
    unit: string,
    memory: AutoMemory,
    step: ModeStep | null,
  ): Promise<void> {
    const { store, clock } = this.#o;
    const state = { unit, state: memoryText(memory), savedAtMs: clock.nowMs() };
    known.memories.set(unit, memory);
    await store.append(app.id, step === null ? [] : [step], [state]);
    if (step !== null) app.serving?.scaler.note(unit, `auto: ${TOLD[step.kind](step)}. ${step.reason}`);
  }

  #step(unit: string, decision: Exclude<AutoDecision, { kind: 'stay' }>, kind: ModeStepKind): ModeStep {
    const { from, to, reason, figures } = decision;
    const atMs = this.#o.clock.nowMs();
    return { id: modeStepId(atMs), atMs, unit, kind, by: 'auto', from, to, reason, figures };
  }

  /** What was kept of the app's units, by whoever decided before. */
  async #recall(app: RunningApp, known: Known): Promise<void> {
    known.memories.clear();
    for (const { unit, state } of await this.#o.store.states(app.id)) {
      const memory = memoryOf(state);
      if (memory !== null) known.memories.set(unit, memory);
    }
  }

  /** What another server has made of a unit, it is here too. One that cannot be is tried again, and keeps nobody from the others. */
  async #follow({ id, serving }: RunningApp, known: Known, units: readonly string[]): Promise<void> {
    for (const unit of units) {
      const wanted = known.memories.get(unit)?.mode ?? null;
      if (serving === null || wanted === null || serving.scaler.mode(unit) === wanted) continue;
      try {
        await this.#o.switchUnit(id, unit, wanted, false);
        serving.scaler.note(unit, `auto: a ${wanted} here too, as another server has decided.`);
      } catch (error) {
        this.#ending.signal.throwIfAborted();
        this.#o.logger.warn(
          { app: id, unit, error: messageOf(error) },
          `it could not be made a ${wanted}, as another server has made it`,
        );
      }
    }
  }

  #knownOf(app: RunningApp): Known {
    let known = this.#known.get(app);
    if (known === undefined) {
      known = {
        ...{ memories: new Map(), follows: null, notBeforeMs: -Infinity },
        ...{ wholeFromMs: null, stumbled: new Map() },
      };
      this.#known.set(app, known);
    }
    return known;
  }
}

interface Move {
  readonly app: RunningApp;
  readonly known: Known;
  readonly unit: string;
  readonly memory: AutoMemory;
  readonly window: AutoWindow;
  readonly decision: AutoDecision & { kind: 'switch' };
  readonly settings: AutoSettings;
}

const TOLD: Readonly<Record<ModeStepKind, (step: ModeStep) => string>> = {
  switched: ({ from, to }) => `switched from ${from} to ${to}`,
  undone: ({ from, to }) => `back from ${from} to ${to}`,
  'would-switch': ({ to }) => `it would be a ${to}, were it let`,
  failed: ({ to }) => `it could not be made a ${to}, which is tried again`,
  blocked: ({ to }) => `it should be a ${to}, and may not`,
  kept: ({ to }) => `it stays a ${to}`,
};

/** Reading and advising take their time, and whoever rests does not wait for them: nothing has come of them yet. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const ended = Promise.withResolvers<never>();
  const end = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
