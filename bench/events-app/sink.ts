import type { ComponentModule } from 'fulcrum';
import { machineMs, type Sent } from './clock.ts';

let taken = 0;
let latenciesMs: number[] = [];
const waiting = new Set<{ readonly count: number; readonly met: () => void }>();

/** Of events that a function has taken. */
export async function note(laterMs: readonly number[]): Promise<void> {
  taken += laterMs.length;
  latenciesMs.push(...laterMs);
  for (const one of waiting) {
    if (taken < one.count) continue;
    waiting.delete(one);
    one.met();
  }
}

export default {
  /** `GET /sink/wait?count=N` answers when so many have been taken since it was asked last: how long each was on its way, ms. */
  async fetch(request) {
    const count = Number(new URL(request.url).searchParams.get('count'));
    if (taken < count) await new Promise<void>((met) => waiting.add({ count, met }));
    const told = latenciesMs;
    [taken, latenciesMs] = [0, []];
    return Response.json(told);
  },

  async queue(batch) {
    const nowMs = machineMs();
    await note(batch.messages.map(({ data }) => nowMs - (data as Sent).sentMs));
  },
} satisfies ComponentModule;
