import type { Mode } from '../../model/app.ts';
import type { AutoLease, AutoState, ModeStep, ModeStepKind } from '../../model/mode-history.ts';
import { changing, noting, reading } from '../operation.ts';
import { all, first, rows, run, type Steps } from '../steps.ts';
import type { Schema } from '../tables.ts';

export interface ModeAppend {
  readonly app: string;
  readonly steps: readonly ModeStep[];
  readonly states: readonly AutoState[];
}

export interface ModeStepsQuery {
  readonly app: string;
  readonly unit: string | null;
  readonly before: string | null;
  readonly limit: number;
}

export const modeOperations = {
  'modes.append': {
    ...changing(function* (_, { app, steps, states }: ModeAppend) {
      if (steps.length > 0) {
        yield {
          into: 'mode_steps' as const,
          rows: steps.map(({ id, atMs, unit, kind, by, from, to, reason, figures }) => [
            ...[app, id, Math.floor(atMs), unit, kind, by, from, to, reason, JSON.stringify(figures)],
          ]),
        };
      }
      if (states.length > 0) {
        yield {
          into: 'auto_states' as const,
          rows: states.map(({ unit, state, savedAtMs }) => [app, unit, state, Math.floor(savedAtMs)]),
        };
      }
    }),
    // Rows are put in whole, and nothing is read.
    alone: false,
  },

  'modes.steps': reading(function* ({ db }, { app, unit, before, limit }: ModeStepsQuery) {
    let from = db
      .selectFrom('mode_steps')
      .selectAll()
      .where('app', '=', app)
      .orderBy('id', 'desc')
      .limit(limit);
    if (unit !== null) from = from.where('unit', '=', unit);
    if (before !== null) from = from.where('id', '<', before);
    return (yield* all(from)).map(stepOf);
  }),

  'modes.states': reading(function* ({ db }, app: string) {
    const found = yield* all(db.selectFrom('auto_states').selectAll().where('app', '=', app).orderBy('unit'));
    return found.map(({ unit, state, saved_at_ms: savedAtMs }): AutoState => ({ unit, state, savedAtMs }));
  }),

  /**
   * Who holds it keeps it; another has it once it is over, or where it lasts longer than any would: then the clock that it was taken by has been set
   * back since. The row is locked by the change, so that of two one comes first.
   */
  'modes.lease': {
    ...changing(function* ({ db }, { app, node, nowMs, untilMs }: AutoLease) {
      const values = { node, until_ms: Math.floor(untilMs) };
      const taken = yield* first(
        db
          .insertInto('auto_leases')
          .values({ app, ...values })
          .onConflict((conflict) =>
            conflict
              .column('app')
              .doUpdateSet(values)
              .where((eb) =>
                eb.or([
                  eb('auto_leases.node', '=', node),
                  eb('auto_leases.until_ms', '<=', Math.floor(nowMs)),
                  // Twice, for the clocks of two servers are not quite the same.
                  eb('auto_leases.until_ms', '>', Math.floor(untilMs + (untilMs - nowMs))),
                ]),
              ),
          )
          .returning('node'),
      );
      return taken !== null;
    }),
    alone: false,
  },

  'modes.prune': noting(function* (
    _,
    { app, beforeMs, steps }: { app: string; beforeMs: number; steps: number },
  ) {
    const before = Math.floor(beforeMs);
    yield* run('DELETE FROM auto_states WHERE app = $1 AND saved_at_ms < $2', app, before);
    yield* run('DELETE FROM mode_steps WHERE app = $1 AND at_ms < $2', app, before);
    for (const { unit, kept } of yield* unitsOf(app)) {
      if (kept <= steps) continue;
      yield* run(
        `DELETE FROM mode_steps WHERE app = $1 AND unit = $2 AND id NOT IN
          (SELECT id FROM mode_steps WHERE app = $1 AND unit = $2 ORDER BY id DESC LIMIT $3)`,
        ...[app, unit, steps],
      );
    }
  }),
};

function unitsOf(app: string): Steps<{ unit: string; kept: number }[]> {
  return rows('SELECT unit, count(*) AS kept FROM mode_steps WHERE app = $1 GROUP BY unit', app);
}

/** Within a change of its own. */
export function* deleteModes(app: string): Steps<void> {
  for (const table of ['mode_steps', 'auto_states', 'auto_leases'])
    yield* run(`DELETE FROM ${table} WHERE app = $1`, app);
}

function stepOf(row: Schema['mode_steps']): ModeStep {
  return {
    id: row.id,
    atMs: row.at_ms,
    unit: row.unit,
    kind: row.kind as ModeStepKind,
    by: row.made_by,
    from: row.from_mode as Mode,
    to: row.to_mode as Mode,
    reason: row.reason,
    figures: JSON.parse(row.figures) as Record<string, number>,
  };
}
