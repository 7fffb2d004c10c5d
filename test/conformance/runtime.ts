import { describe } from 'node:test';
import type { CreateRuntime } from './runtime/bench.ts';
import { callConformance } from './runtime/calls.ts';
import { deliveryConformance } from './runtime/deliveries.ts';
import { eventConformance } from './runtime/events.ts';
import { faultConformance } from './runtime/faults.ts';
import { httpConformance } from './runtime/http.ts';
import { lifecycleConformance } from './runtime/lifecycle.ts';
import { webSocketConformance } from './runtime/websockets.ts';

/** What every engine that runs modules must do. All with real processes, over the modules in `fixtures/`. */
export function runtimeConformance(name: string, create: CreateRuntime): void {
  describe(`runtime ${name}`, { timeout: 240_000 }, () => {
    httpConformance(create);
    callConformance(create);
    eventConformance(create);
    deliveryConformance(create);
    faultConformance(create);
    lifecycleConformance(create);
    webSocketConformance(create);
  });
}
