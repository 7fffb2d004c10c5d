import type { Dialect } from './dialect.ts';
import type { Steps } from './steps.ts';

/**
 * What a change outlives once it has returned. `process`: the end of the process, however sudden; a loss of power may take the
 * last moments. `power`: that too, at the price of a sync to disk, which takes along all that was changed before.
 */
export type Durability = 'process' | 'power';

/**
 * Something that a store can be asked for. Where `keeps` is null it only reads; else its steps are one transaction.
 *
 * `alone`: it behaves as if no other ran at the same time, which on Postgres costs a second try now and then (SERIALIZABLE). Without, it
 * must be right under READ COMMITTED. SQLite knows only the first.
 */
export interface Operation<Argument, Result> {
  readonly keeps: Durability | null;
  readonly alone: boolean;
  /** It deletes much: afterwards SQLite's file is shortened. */
  readonly frees: boolean;
  steps(dialect: Dialect, argument: Argument): Steps<Result>;
}

type StepsOf<A, R> = (dialect: Dialect, argument: A) => Steps<R>;

export function reading<A, R>(steps: StepsOf<A, R>): Operation<A, R> {
  return { keeps: null, alone: false, frees: false, steps };
}

/** For what must not be lost. */
export function changing<A, R>(steps: StepsOf<A, R>): Operation<A, R> {
  return { keeps: 'power', alone: true, frees: false, steps };
}

/** For what is frequent, or is made safe by a later change. */
export function noting<A, R>(steps: StepsOf<A, R>): Operation<A, R> {
  return { keeps: 'process', alone: false, frees: false, steps };
}
