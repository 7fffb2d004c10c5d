import { sqliteInsert } from './bulk.ts';
import { sqliteDialect } from './dialect.ts';
import type { Operation } from './operation.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import type { Outcome, Step } from './steps.ts';

const SHRINK_PAGES = 256;

/** Carries an operation out, blocking, and as one transaction where it changes something. Throws what it throws. */
export function runOnSqlite<A, R>(database: SqliteDatabase, operation: Operation<A, R>, argument: A): R {
  const drive = (): R => {
    const steps = operation.steps(sqliteDialect, argument);
    let next = steps.next();
    while (next.done !== true) next = steps.next(take(database, next.value));
    return next.value;
  };
  if (operation.keeps === null) return drive();
  const result = database.transaction(operation.keeps, drive);
  if (operation.frees) database.shrink(SHRINK_PAGES);
  return result;
}

type Value = string | number | null | Uint8Array;

function take(database: SqliteDatabase, step: Step): Outcome {
  if ('into' in step) {
    const insert = database.statement(sqliteInsert(step.into, step.anew ?? false));
    for (const row of step.rows) insert.run(...(row as Value[]));
    return { rows: [], changes: step.rows.length };
  }
  const statement = database.statement(step.sql);
  const parameters = step.parameters as Value[];
  if (database.givesRows(step.sql)) {
    const rows = statement.all(...parameters);
    return { rows, changes: rows.length };
  }
  return { rows: [], changes: Number(statement.run(...parameters).changes) };
}
