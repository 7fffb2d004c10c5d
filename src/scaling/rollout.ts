import type { Revision } from '../model/revision.ts';
import { allReady, type Candidate } from './candidates.ts';
import type { ComponentPool } from './component-pool.ts';
import { modeFor } from './mode-settings.ts';
import type { ModeChoice, ScaledComponent } from './scaled-component.ts';

export interface Inspect {
  readonly component: string;
  readonly port: number;
}

export interface RolloutOptions {
  readonly revisions: ReadonlyMap<string, Revision>;
  readonly inspect: Inspect | null;
  /** The component of that name: the one that serves, or a new one. */
  readonly componentFor: (name: string) => ScaledComponent;
  readonly signal: AbortSignal;
}

interface Move {
  readonly component: ScaledComponent;
  readonly choice: ModeChoice;
  /** Null where what serves is what should. */
  readonly pool: ComponentPool | null;
  /** Something serves that would be lost if the new pool could not run. */
  readonly replaces: boolean;
}

/**
 * Brings every component of a deploy to its new revision: first all that must be ready is made ready, then all is routed
 * at once, between two requests. Must run in the turn of every component concerned. Throws `start-failed` with the
 * component named; then all is as before.
 * @returns the components that now serve.
 */
export async function rollOut(o: RolloutOptions): Promise<readonly ScaledComponent[]> {
  const moves: Move[] = [];
  const candidates: Candidate[] = [];
  try {
    for (const [name, revision] of o.revisions) {
      const move = prepare(
        o.componentFor(name),
        revision,
        o.inspect?.component === name ? o.inspect.port : null,
      );
      moves.push(move);
      if (move.pool === null) continue;
      const { mode, settings } = move.pool.settings;
      if (mode === 'service') candidates.push({ pool: move.pool, needs: settings.replicas });
      else if (move.replaces) candidates.push({ pool: move.pool, needs: 1 });
    }
    await allReady(candidates, o.signal);
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

function prepare(component: ScaledComponent, revision: Revision, inspectPort: number | null): Move {
  const choice = nextChoice(component.choice, revision);
  const mode = modeFor(choice.chosen);
  // A new function proves itself with its first invocation; one that takes the place of another must prove that it can
  // start before the other is let go.
  const replaces = component.choice !== null;
  if (component.serves(revision, mode, inspectPort)) return { component, choice, pool: null, replaces };
  const warm = replaces ? 1 : 0;
  const pool = component.prepare({ revision, mode, occasion: 'deploy', warm, inspectPort });
  return { component, choice, pool, replaces };
}

/** A mode that was chosen by hand survives deploys, until the config itself says something new. */
function nextChoice(present: ModeChoice | null, revision: Revision): ModeChoice {
  const configured = revision.spec.modeSetting;
  return present !== null && present.configured === configured ? present : { configured, chosen: configured };
}
