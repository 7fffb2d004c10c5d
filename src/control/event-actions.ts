import { FulcrumError } from '../base/errors.ts';
import type { AppEvents, OwnFilter } from '../model/app-events.ts';
import type { WorkState } from '../model/event-store.ts';

export type EventAction = 'retry' | 'drop' | 'redrive';

/** What each can be done to. */
const STATES: Readonly<Record<EventAction, readonly WorkState[]>> = {
  // `ready`: what waits for its next attempt.
  retry: ['dead', 'ready'],
  drop: ['delayed', 'ready', 'blocked', 'dead', 'unmatched'],
  redrive: ['dead', 'unmatched'],
};

/** Of a component that is no more, nothing will ever be delivered: all of it may go to another. */
const LEFT_BEHIND: readonly WorkState[] = ['delayed', 'ready', 'blocked', 'dead'];

export interface EventPlan {
  /** What it is done to. */
  readonly filter: OwnFilter;
  /** What is counted to say beforehand how many that are: one for each state that it can be done to. */
  readonly counted: readonly OwnFilter[];
}

/**
 * What `action` is done to of all that `filter` matches.
 *
 * A retry of what is not named by its id is of the dead, unless a state says otherwise: those that wait for their next attempt are tried
 * again without it, and in a large backlog most of `ready` has not been tried at all.
 *
 * @param components those of what serves. Throws `bad-request` for a state that it cannot be done to.
 */
export function planOf(action: EventAction, filter: OwnFilter, components: readonly string[]): EventPlan {
  const { component, state, ids } = filter;
  const isLeftBehind = component !== undefined && !components.includes(component);
  const possible = action === 'redrive' && isLeftBehind ? LEFT_BEHIND : STATES[action];
  if (state === undefined) {
    if (action === 'retry' && ids === undefined)
      return planOf(action, { ...filter, state: 'dead' }, components);
    return { filter, counted: possible.map((each) => ({ ...filter, state: each })) };
  }
  if (possible.includes(state)) return { filter, counted: [filter] };
  throw new FulcrumError(
    'bad-request',
    `${WHY[action]} It was asked of those that are ${state}; it is for ${possible.join(', ')}.`,
  );
}

const WHY: Readonly<Record<EventAction, string>> = {
  retry: 'What is held back, or was never tried, cannot be tried again.',
  drop: 'What is being worked on cannot be dropped.',
  redrive: 'Only what nobody will deliver can be given to another component.',
};

/** How many it would change; more may come or go until it does. Rejects with `store-failed`. */
export async function countOf(events: AppEvents, { counted }: EventPlan): Promise<number> {
  const counts = await Promise.all(counted.map((filter) => events.count(filter)));
  return counts.reduce((sum, count) => sum + count, 0);
}
