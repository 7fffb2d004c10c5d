import { limitsText } from '../model/limits-text.ts';
import type { ComponentStatus } from '../model/status.ts';

/** What was set by hand, and what limits have refused: nothing of those that nobody has met. */
export function limitsNotes({ limits }: ComponentStatus): string[] {
  if (limits === null) return [];
  const { configured, chosen, refused } = limits;
  const isOff = (chosen ?? configured).concurrency === 0;
  const set =
    chosen !== null
      ? [isOff ? 'switched off by hand' : `limits set by hand: ${limitsText(chosen)}`]
      : isOff
        ? ['switched off in its config']
        : [];
  const count = refused.toLocaleString('en-GB');
  return refused === 0 ? set : [...set, `${count} refused by limits in the last minute`];
}
