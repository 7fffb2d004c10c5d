import { randomText } from '../../base/ids.ts';
import type { NewWork } from '../../model/event-store.ts';
import { scheduleText, type Schedule } from '../../model/work-settings.ts';

/** How long what was given up is kept: as of every other work. */
const KEPT_MS = 14 * 86_400_000;

/**
 * What is kept of a tick until it is done. Its data is what a `scheduled` handler is told, but for the attempt: JSON `{ cron, name, scheduledTime }`.
 *
 * It is leased by nobody: were the answer to the store's commit lost, nobody would know of the lease, and the tick would wait for the end of
 * this node.
 */
export function tickWork(
  app: string,
  component: string,
  { name, when }: Pick<Schedule, 'name' | 'when'>,
  tickMs: number,
  nowMs: number,
): NewWork {
  const told = { cron: scheduleText(when), name, scheduledTime: tickMs };
  return {
    app,
    components: [component],
    id: `tick_${randomText(24)}`,
    isIdFresh: true,
    kind: 'schedule',
    type: name,
    source: `/components/${component}/schedules/${name}`,
    subject: null,
    key: null,
    timeMs: tickMs,
    contentType: 'application/json',
    attributes: '{}',
    data: new TextEncoder().encode(JSON.stringify(told)),
    publishedAtMs: nowMs,
    dueAtMs: nowMs,
    forgetAtMs: nowMs + KEPT_MS,
    dedupe: null,
    answerUntilMs: null,
    leaseFor: [],
  };
}
