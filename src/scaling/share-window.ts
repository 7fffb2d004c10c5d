/**
 * One member's part of the window for kept work that a group has as a whole: a pure function.
 *
 * Each of those that have such work may have an equal part; what one does not want the others have. What a member was promised, or has
 * under way, nobody else is promised: one that comes late gets its part as the others' invocations end. Each has one place at least, so
 * that none stands still; beyond the window there are never more than those.
 */
import type { WaitingWork } from '../model/work-window.ts';

/** What another member has asked for, and what it was told. */
export interface OtherShare {
  readonly work: WaitingWork;
  readonly promised: number;
}

export function shareOf(window: number, others: readonly OtherShare[]): number {
  const wanting = others.filter(({ work }) => wanted(work) > 0);
  const fair = Math.max(1, Math.floor(window / (wanting.length + 1)));
  const kept = wanting.reduce((sum, other) => sum + keptFor(other, fair), 0);
  return Math.max(1, window - kept);
}

/** What a member may begin without asking again is no more than it has work for. */
export function promiseOf(share: number, work: WaitingWork): number {
  return Math.max(work.underWay, Math.min(share, wanted(work)));
}

function keptFor({ work, promised }: OtherShare, fair: number): number {
  return Math.max(promised, work.underWay, Math.min(fair, wanted(work)));
}

function wanted({ waiting, underWay }: WaitingWork): number {
  return waiting + underWay;
}
