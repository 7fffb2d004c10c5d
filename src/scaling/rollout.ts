import type { FulcrumError } from '../base/errors.ts';
import type { Mode } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import { allReady, type Candidate } from './candidates.ts';
import type { ComponentPool } from './component-pool.ts';
import { replicasFor } from './decide-service.ts';
import { newcomerOf, type Newcomer } from './fit.ts';
import { modeOf } from './mode-settings.ts';
import type { ModeChoice, ScaledComponent } from './scaled-component.ts';

export interface Inspect {
  readonly component: string;
  readonly port: number;
}

/** What is told of a component while a deploy waits for it. */
export type ComponentProgress = (
  component: string,
  /** `begun`: an instance starts; `ready`: as many as must be are; else why not. */
  state: 'begun' | 'ready' | FulcrumError,
) => void;

export interface RolloutOptions {
  readonly revisions: ReadonlyMap<string, Revision>;
  readonly inspect: Inspect | null;
  /** Modes that were chosen by hand, for units that have not served here yet. */
  readonly modes: ReadonlyMap<string, ModeChoice>;
  /** Functions, too, must show that they can start before anything is routed to them. */
  readonly prove: boolean;
  /** How many replicas of a group, or of what holds a component, are ready elsewhere, whose work is taken over. */
  readonly replicas: (name: string) => number;
  readonly onProgress: ComponentProgress;
  /** What is to run it: the unit that serves, or a new one where there is none that holds the same components. */
  readonly unitFor: (revision: Revision) => ScaledComponent;
  /** What serves now. */
  readonly present: PresentUnits;
  /** Throws `machine-full` where the machine can never hold them beside what is there. */
  readonly refuse: (newcomers: readonly Newcomer[]) => void;
  readonly signal: AbortSignal;
}

/** The units that serve until a deploy has come up; null where there is none such. */
interface PresentUnits {
  named(name: string): ScaledComponent | null;
  holding(component: string): ScaledComponent | null;
}

/** What a unit is to run. */
interface Wanted {
  readonly component: ScaledComponent;
  readonly revision: Revision;
  readonly choice: ModeChoice;
  readonly mode: Mode;
  readonly inspectPort: number | null;
  /** One instance must be ready before it serves, in function mode too. */
  readonly proves: boolean;
  /** So many replicas at least where their number may change. */
  readonly replicas: number;
  /** It does not run just this already. */
  readonly isNew: boolean;
}

interface Move {
  readonly component: ScaledComponent;
  readonly choice: ModeChoice;
  /** Null where what serves is what should. */
  readonly pool: ComponentPool | null;
}

/**
 * Brings every unit of a deploy to its new revision: first all that must be ready is made ready, then all is routed
 * at once, between two requests. Must run in the turn of every unit concerned. Throws `machine-full` before anything
 * starts, or `start-failed` with the component named; then all is as before.
 * @returns the units that now serve.
 */
export async function rollOut(o: RolloutOptions): Promise<readonly ScaledComponent[]> {
  const wanted = [...o.revisions.values()].map((revision) => wantedOf(o, o.unitFor(revision), revision));
  o.refuse(
    wanted.flatMap(({ revision, mode, proves, isNew }) =>
      isNew ? [newcomerOf(revision.spec, mode, proves)] : [],
    ),
  );
  const moves: Move[] = [];
  const candidates: Candidate[] = [];
  try {
    for (const one of wanted) {
      const { component, choice, proves } = one;
      const pool = one.isNew ? prepare(one) : null;
      moves.push({ component, choice, pool });
      if (pool === null) continue;
      if (pool.settings.mode === 'function' && !proves) continue;
      o.onProgress(component.name, 'begun');
      candidates.push({
        pool,
        needs: pool.needs,
        settled: (error) => o.onProgress(component.name, error ?? 'ready'),
      });
    }
    await allReady(candidates, o.signal);
    if (o.prove) await allWithinMemory(candidates, o.onProgress);
  } catch (error) {
    for (const { pool } of moves) pool?.leave('the deploy failed', 0);
    throw error;
  }
  for (const { component, choice, pool } of moves) {
    component.choice = choice;
    if (pool !== null) component.route(pool, `revision ${pool.revision.id} took over`);
  }
  return moves.map(({ component }) => component);
}

function wantedOf(o: RolloutOptions, component: ScaledComponent, revision: Revision): Wanted {
  const { inspect, modes, prove, present } = o;
  const { name, members } = component;
  const inspectPort =
    inspect !== null && [name, ...members].includes(inspect.component) ? inspect.port : null;
  // A group goes by what was chosen for it, whomever else it holds now. What was chosen for a member when that was alone is not its own.
  const named = present.named(name);
  const before = named !== null && named.isGroup === component.isGroup ? named.choice : null;
  const choice = nextChoice(before ?? modes.get(name) ?? null, revision);
  const mode = modeOf(choice);
  const replaced = new Set(members.flatMap((member) => present.holding(member) ?? []));
  // Where nobody asks for proof, a new function proves itself with its first invocation; one that takes the place of another
  // must prove that it can start before the other is let go.
  const proves = prove || replaced.size > 0;
  const isNew = !component.serves(revision, mode, inspectPort);
  const replicas = Math.max(
    ...[name, ...members].map(o.replicas),
    ...[...replaced].filter((unit) => unit !== component).map((unit) => replicasLike(unit, revision)),
  );
  return { component, revision, choice, mode, inspectPort, proves, replicas, isNew };
}

/** As many as another unit has, or its load wants, where that is to have none of it any more: no regrouping is felt for want of replicas. */
function replicasLike(unit: ScaledComponent, { spec }: Revision): number {
  return unit.mode === 'service' ? unit.readyReplicas : replicasFor(unit.load, spec.service);
}

function prepare({ component, revision, mode, inspectPort, proves, replicas }: Wanted): ComponentPool {
  const warm = proves ? 1 : 0;
  return component.prepare({ revision, mode, occasion: 'deploy', warm, replicas, inspectPort });
}

/**
 * What is ready may hold more memory than it may, and would be ended as soon as somebody looks: then it has proved nothing. Throws
 * `memory-exceeded`, or what an instance ended of meanwhile.
 */
async function allWithinMemory(
  candidates: readonly Candidate[],
  onProgress: ComponentProgress,
): Promise<void> {
  await Promise.all(
    candidates.map(async ({ pool, needs }) => {
      const error = await pool.tooLarge(needs);
      if (error === null) return;
      onProgress(pool.revision.spec.name, error);
      throw error;
    }),
  );
}

/** A mode that was chosen by hand survives deploys, until the config itself says something new. */
function nextChoice(present: ModeChoice | null, revision: Revision): ModeChoice {
  const configured = revision.spec.modeSetting;
  return present !== null && present.configured === configured ? present : { configured, chosen: configured };
}
