import { use, type ComponentModule } from 'fulcrum';
import { measureCalls, type Measured, type Order } from './measure.ts';
import { makeValues, type ValueName } from './values.ts';

type Callee = typeof import('./callee.ts');

/** What is measured: a call of one of the components, or the structured clone of its argument alone. */
export interface AppOrder extends Order {
  readonly to: 'near' | 'service' | 'warm' | 'cold' | 'disk' | 'clone';
  readonly value: ValueName;
}

const callees = {
  near: use<Callee>('near'),
  service: use<Callee>('service'),
  warm: use<Callee>('warm'),
  cold: use<Callee>('cold'),
  disk: use<Callee>('disk'),
};
const values = makeValues();

function callOf({ to, value }: AppOrder): () => Promise<unknown> {
  if (to === 'clone') return async () => structuredClone(values[value]);
  const callee = callees[to];
  switch (value) {
    case 'small':
      return () => callee.priceOf(values.small);
    case 'objects':
      return () => callee.countItems(values.objects);
    case 'bytes':
      return () => callee.countBytes(values.bytes);
  }
}

/** One call after the other, each of which must be answered by an instance of its own. */
async function measureCold(callee: (typeof callees)['cold'], count: number): Promise<Measured> {
  const latenciesMs: number[] = [];
  const starts = new Set<number>();
  for (let i = 0; i < count; i++) {
    const begunMs = performance.now();
    starts.add(await callee.startOf());
    latenciesMs.push(performance.now() - begunMs);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  if (starts.size !== count) throw new Error(`${count} calls were answered by ${starts.size} instances.`);
  return { latenciesMs, tookMs: NaN };
}

/** So that the instance before has ended, and its zygote where it is not kept either. */
const PAUSE_MS = 30;

export default {
  /** `POST /caller/run` with an {@link AppOrder} answers with what was measured. */
  async fetch(request) {
    const order = (await request.json()) as AppOrder;
    const measured =
      order.to === 'cold' || order.to === 'disk'
        ? await measureCold(callees[order.to], order.count)
        : await measureCalls(order, callOf(order));
    return Response.json(measured);
  },
} satisfies ComponentModule;
