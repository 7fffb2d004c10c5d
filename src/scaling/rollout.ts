import type { FulcrumError } from '../base/errors.ts';
import type { Mode } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import { allReady, type Candidate } from './candidates.ts';
import type { ComponentPool } from './component-pool.ts';
import { newcomerOf, type Newcomer } from './fit.ts';
import { modeFor } from './mode-settings.ts';
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
  /** Modes that were chosen by hand, for components that have not served here yet. */
  readonly modes: ReadonlyMap<string, ModeChoice>;
  /** Functions, too, must show that they can start before anything is routed to them. */
  readonly prove: boolean;
  /** How many replicas of a component that has not served here are ready elsewhere, whose work it takes over. */
  readonly replicas: (component: string) => number;
  readonly onProgress: ComponentProgress;
  /** The component of that name: the one that serves, or a new one. */
  readonly componentFor: (name: string) => ScaledComponent;
  /** Throws `machine-full` where the machine can never hold them beside what is there. */
  readonly refuse: (newcomers: readonly Newcomer[]) => void;
  readonly signal: AbortSignal;
}

/** What a component is to run. */
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
 * Brings every component of a deploy to its new revision: first all that must be ready is made ready, then all is routed
 * at once, between two requests. Must run in the turn of every component concerned. Throws `machine-full` before anything
 * starts, or `start-failed` with the component named; then all is as before.
 * @returns the components that now serve.
 */
export async function rollOut(o: RolloutOptions): Promise<readonly ScaledComponent[]> {
  const wanted = [...o.revisions].map(([name, revision]) => wantedOf(o, o.componentFor(name), revision));
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

function wantedOf(
  { inspect, modes, prove, replicas }: RolloutOptions,
  component: ScaledComponent,
  revision: Revision,
): Wanted {
  const inspectPort = inspect?.component === component.name ? inspect.port : null;
  const choice = nextChoice(component.choice ?? modes.get(component.name) ?? null, revision);
  const mode = modeFor(choice.chosen);
  // Where nobody asks for proof, a new function proves itself with its first invocation; one that takes the place of another
  // must prove that it can start before the other is let go.
  const proves = prove || component.choice !== null;
  const isNew = !component.serves(revision, mode, inspectPort);
  const begun = replicas(component.name);
  return { component, revision, choice, mode, inspectPort, proves, replicas: begun, isNew };
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
