import { randomText } from '../base/ids.ts';
import type { ManualInvocation } from '../control/port.ts';
import { scheduleText } from '../model/work-settings.ts';
import type { RunnableSpec } from '../model/app.ts';
import type { Invocation, Payload } from '../model/invocation.ts';

/** A person's invocation as the one an instance takes: what it leaves open is filled in as the real trigger would. */
export function manualInvocation(spec: RunnableSpec, request: ManualInvocation, nowMs: number): Invocation {
  switch (request.kind) {
    case 'call':
      return { kind: 'call', function: request.function, args: json(request.args) };
    case 'scheduled': {
      const [first] = spec.kind === 'module' ? spec.schedules : [];
      const configured = first === undefined ? '' : scheduleText(first.when);
      const event = { cron: request.cron ?? configured, scheduledTime: request.atMs ?? nowMs };
      return { kind: 'scheduled', event: json(event) };
    }
    case 'queue': {
      const messages = request.messages.map(({ type, data }) => ({
        id: `e_${randomText(20)}`,
        type,
        data,
        time: nowMs,
        attempt: 1,
      }));
      return { kind: 'queue', batch: json({ messages }) };
    }
  }
}

function json(value: unknown): Payload {
  return { encoding: 'json', bytes: Buffer.from(JSON.stringify(value)) };
}
