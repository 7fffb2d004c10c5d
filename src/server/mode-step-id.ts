import { timedText } from '../base/ids.ts';

/** In the order of time; 50 random bits behind it. */
export function modeStepId(nowMs: number): string {
  return `m_${timedText(nowMs, 10)}`;
}
