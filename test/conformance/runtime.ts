import { describe } from 'node:test';
import type { CreateRuntime } from './runtime/bench.ts';
import { bindingConformance } from './runtime/bindings.ts';
import { callStreamConformance } from './runtime/calls-streams.ts';
import { callConformance } from './runtime/calls.ts';
import { deliveryConformance } from './runtime/deliveries.ts';
import { eventConformance } from './runtime/events.ts';
import { faultConformance } from './runtime/faults.ts';
import { groupConformance } from './runtime/groups.ts';
import { httpConformance } from './runtime/http.ts';
import { lifecycleConformance } from './runtime/lifecycle.ts';
import { webSocketConformance } from './runtime/websockets.ts';

const FULL = process.env['FULCRUM_FULL'] !== undefined;

/**
 * What every engine that runs modules must do. All with real processes, over the modules in `fixtures/`.
 * @param differsBy of an engine that another run has shown whole: what is other here. What is only said over the wire is left to the long run then.
 */
export function runtimeConformance(name: string, create: CreateRuntime, differsBy?: 'its process'): void {
  const isWhole = differsBy === undefined || FULL;
  // Each with a limit of its own, which one of them comes nowhere near even on a machine that has much else to do.
  describe(`runtime ${name}: what comes from outside`, { timeout: 240_000 }, () => {
    httpConformance(create);
    if (!isWhole) return;
    eventConformance(create);
    deliveryConformance(create);
    webSocketConformance(create);
  });
  describe(`runtime ${name}: calls`, { timeout: 240_000 }, () => {
    callConformance(create);
    groupConformance(create);
    if (!isWhole) return;
    callStreamConformance(create);
    bindingConformance(create);
  });
  describe(`runtime ${name}: beginnings and ends`, { timeout: 240_000 }, () => {
    faultConformance(create);
    lifecycleConformance(create);
  });
}
