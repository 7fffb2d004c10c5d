import { relative } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { UnitCalls, UnitFacts } from '../model/advice-facts.ts';
import type { Mode, RunnableSpec, UnitSpec } from '../model/app.ts';
import { CALL_REST, MAX_CALL_WINDOW_MS, type CallEdge, type CallGraph } from '../model/calls.ts';
import type { ModeFinding } from '../model/mode-check.ts';
import { membersOf, runnableOf, unitsOf } from '../model/units.ts';
import type { ScheduledAt } from '../model/work-settings.ts';
import type { Scaler } from '../scaling/scaler.ts';
import type { CodeChanges } from './code-changes.ts';
import type { LiveRelease } from './live-release.ts';
import type { StartBook } from './start-book.ts';
import type { SwitchChecks } from './switch-checks.ts';

/** Code that has not been looked at by then is told as such: whoever asks hears nothing until the facts are there, and gives up after a minute. */
const MOST_CHECKED_MS = 45_000;

/** What it asks of a running app. */
export interface KnownApp {
  readonly serving:
    | (Pick<LiveRelease, 'spec' | 'revision' | 'unitOf'> & { readonly scaler: Pick<Scaler, 'status'> })
    | null;
  readonly checks: Pick<SwitchChecks, 'check'>;
  callGraph(windowMs: number): CallGraph;
}

export interface AppFactsOptions {
  readonly app: KnownApp;
  readonly clock: Clock;
  readonly starts: Pick<StartBook, 'startsMs' | 'modeSinceMs' | 'takesSockets'>;
  readonly changes: Pick<CodeChanges, 'refresh' | 'of'>;
}

/** What is known of an app's units beside their usage, of this moment: what advice is made of. */
export class AppFacts {
  readonly #o: AppFactsOptions;

  constructor(o: AppFactsOptions) {
    this.#o = o;
  }

  /**
   * Of each component and group that has instances of its own, in the order of `unitsOf`. Code that has not been looked at since it was
   * deployed is looked at first, one component after the other, for 45 s at most; the rest goes on, for whoever asks next. Rejects with `store-failed`, and `shutting-down` where nothing serves.
   */
  async all(): Promise<readonly UnitFacts[]> {
    await this.#o.changes.refresh(this.#o.clock.nowMs());
    const facts = await Promise.all(unitsOf(this.#serving().spec).map((unit) => this.#of(unit)));
    return facts.filter((one) => one !== null);
  }

  /** Of one; null where nothing of that name has instances of its own. Rejects as `all`. */
  async of(name: string): Promise<UnitFacts | null> {
    const unit = unitsOf(this.#serving().spec).find((one) => one.name === name);
    if (unit === undefined) return null;
    await this.#o.changes.refresh(this.#o.clock.nowMs());
    return await this.#of(unit);
  }

  /** Null where a deploy takes it away. */
  async #of(unit: UnitSpec): Promise<UnitFacts | null> {
    const serving = this.#serving();
    const { app, clock, starts, changes } = this.#o;
    const { spec } = serving;
    const statuses = new Map(serving.scaler.status().map((status) => [status.name, status]));
    const { mode, modeSetting } = statuses.get(unit.name) ?? {};
    if (mode === null || mode === undefined) return null;
    const members = membersOf(unit);
    const specs = runnablesOf(unit);
    const sockets = new Set(members.map((member) => starts.takesSockets(unit.name, member)));
    const findings = await this.#findings(serving, unit);
    return {
      unit: unit.name,
      members,
      kind: unit.kind,
      modeSetting: modeSetting ?? unit.modeSetting,
      mode,
      modeSinceMs: starts.modeSinceMs(unit.name, mode),
      function: unit.function,
      service: unit.service,
      // Its own word, or the app's.
      objective: unit.objective ?? spec.advisor.objective,
      triggers: {
        routes: specs.reduce((all, { routes }) => all + routes.length, 0),
        events: [...new Set(specs.flatMap(({ subscription }) => subscription?.types ?? []))],
        schedules: specs.flatMap((one) =>
          one.kind === 'module' ? one.schedules.map(({ when }) => whenText(when)) : [],
        ),
        callers: runnableOf(spec)
          .filter(({ name, calls }) => !members.includes(name) && mayCall(calls, members))
          .map(({ name }) => name),
      },
      sockets: sockets.has(true) ? true : sockets.has(null) ? null : false,
      storage: unit.storage.map((folder) => relative(spec.directory, folder)),
      findings,
      deploys: changes.of(specs, spec.directory, clock.nowMs()),
      calls: callsOf(
        app.callGraph(MAX_CALL_WINDOW_MS).edges,
        members,
        (name) => statuses.get(serving.unitOf(name))?.mode ?? null,
      ),
      startsMs: starts.startsMs(unit.name),
    };
  }

  async #findings(serving: NonNullable<KnownApp['serving']>, unit: UnitSpec): Promise<UnitFacts['findings']> {
    const revision = serving.revision(unit.name);
    const { checks } = this.#o.app;
    const checked = await within(this.#o.clock, MOST_CHECKED_MS, [
      checks.check(revision, 'service', 'function'),
      checks.check(revision, 'function', 'service'),
    ]);
    if (checked === null) return null;
    const [asFunction, asService] = checked;
    const all = { function: asFunction.findings, service: asService.findings };
    // Of a program the note is what is known: packages that need a process that stays.
    return unit.kind !== 'command' && (isUnseen(all.function) || isUnseen(all.service)) ? null : all;
  }

  #serving(): NonNullable<KnownApp['serving']> {
    const { serving } = this.#o.app;
    if (serving === null)
      throw new FulcrumError('shutting-down', 'The app has not started yet.', { retryAfterS: 1 });
    return serving;
  }
}

/** Null where it takes longer. */
async function within<T>(
  clock: Clock,
  limitMs: number,
  both: readonly [Promise<T>, Promise<T>],
): Promise<readonly [T, T] | null> {
  const late = Promise.withResolvers<null>();
  const timer = clock.after(limitMs, () => late.resolve(null));
  try {
    return await Promise.race([Promise.all(both), late.promise]);
  } finally {
    timer.cancel();
  }
}

function runnablesOf(unit: UnitSpec): readonly RunnableSpec[] {
  return unit.kind === 'group' ? unit.members : [unit];
}

function mayCall(calls: readonly string[] | null, members: readonly string[]): boolean {
  return calls === null || members.some((member) => calls.includes(member));
}

/** Whether nothing is found but that the code could not be read. */
function isUnseen(findings: readonly ModeFinding[]): boolean {
  return findings.length > 0 && findings.every(({ rule }) => rule === 'not-checked');
}

/**
 * The calls between the components of a unit and others, one of each and direction: all functions together, their median as the mean of
 * the functions' own, by their counts.
 */
export function callsOf(
  edges: readonly CallEdge[],
  members: readonly string[],
  modeOf: (component: string) => Mode | null,
): readonly UnitCalls[] {
  const between = edges.flatMap((edge) => {
    const out = members.includes(edge.from);
    // Within the unit, or of others altogether.
    if (out === members.includes(edge.to)) return [];
    return [{ with: out ? edge.to : edge.from, direction: out ? ('out' as const) : ('in' as const), edge }];
  });
  const grouped = Map.groupBy(between, (one) => `${one.direction} ${one.with}`);
  return [...grouped.values()].flatMap((parts): UnitCalls[] => {
    const { with: name, direction } = parts[0]!;
    const mode = name === CALL_REST ? null : modeOf(name);
    const count = sum(parts, ({ edge }) => edge.count);
    if (mode === null || count === 0) return [];
    return [
      {
        with: name,
        direction,
        perSecond: sum(parts, ({ edge }) => edge.perSecond),
        p50Ms: sum(parts, ({ edge }) => edge.p50Ms * edge.count) / count,
        joined: sum(parts, ({ edge }) => edge.inProcess) / count,
        mode,
      },
    ];
  });
}

function sum<T>(parts: readonly T[], of: (part: T) => number): number {
  return parts.reduce((all, part) => all + of(part), 0);
}

function whenText(when: ScheduledAt): string {
  if (when.kind === 'every') return when.text;
  if (when.kind === 'at') return new Date(when.atMs).toISOString();
  return when.timeZone === 'UTC' ? when.cron : `${when.cron} (${when.timeZone})`;
}
