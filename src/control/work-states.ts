import type { WorkState } from '../model/event-store.ts';

/** All of them, in the order in which work goes through them. */
export const WORK_STATES = [
  'delayed',
  'ready',
  'blocked',
  'leased',
  'dead',
  'unmatched',
] as const satisfies readonly WorkState[];
