import type { UnitFacts } from '../../model/advice-facts.ts';
import type { Traffic } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';
import { mergedUsed } from '../../meter/used.ts';
import { orderOf } from '../traffic/order.ts';
import type { OwnComponent, OwnUsage } from './own-usage.ts';
import { sharedStretches, uncontended } from './uncontended.ts';

/**
 * What a unit used and what came to it: a component's own; a group's is that of its members together, each arrival and each instance once. Nothing
 * at all where none of them has been used. The traffic's durations are each invocation's alone: see {@link uncontended}.
 */
export function usageOfUnit(
  usage: OwnUsage,
  { unit, members }: Pick<UnitFacts, 'unit' | 'members'>,
): OwnComponent {
  const whole = countedOf(usage, unit, members);
  return { ...whole, traffic: uncontended(whole.traffic, sharedStretches(whole.days)) };
}

function countedOf(usage: OwnUsage, unit: string, members: readonly string[]): OwnComponent {
  const own = usage.components.filter(({ name }) => members.includes(name));
  const [only] = own;
  if (own.length === 1 && only!.name === unit) return only!;
  const counted = own.reduce((sum, each) => sum + each.traffic.arrivedAtMs.length, 0);
  const logged = own.reduce((sum, each) => sum + each.logged * each.traffic.arrivedAtMs.length, 0);
  return {
    name: unit,
    days: joinedDays(unit, own),
    traffic: joinedTraffic(
      unit,
      own.map(({ traffic }) => traffic),
      usage,
    ),
    logged: counted === 0 ? 1 : logged / counted,
  };
}

function joinedDays(unit: string, own: readonly OwnComponent[]): Used[] {
  const days = Map.groupBy(
    own.flatMap(({ days }) => days),
    ({ mode, fromMs }) => `${Math.floor(fromMs / DAY_MS)} ${mode}`,
  );
  return [...days.values()]
    .map((same) => ({
      ...mergedUsed(same, {
        fromMs: Math.min(...same.map(({ fromMs }) => fromMs)),
        toMs: Math.max(...same.map(({ toMs }) => toMs)),
      }),
      component: unit,
    }))
    .sort((a, b) => a.fromMs - b.fromMs);
}

const DAY_MS = 86_400_000;

function joinedTraffic(
  component: string,
  parts: readonly Traffic[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Traffic {
  const length = parts.reduce((sum, part) => sum + part.arrivedAtMs.length, 0);
  const arrivedAtMs = new Float64Array(length);
  const durationMs = new Float32Array(length);
  const cpuMs = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    arrivedAtMs.set(part.arrivedAtMs, at);
    durationMs.set(part.durationMs, at);
    cpuMs.set(part.cpuMs, at);
    at += part.arrivedAtMs.length;
  }
  if (parts.length < 2) return { component, arrivedAtMs, durationMs, cpuMs, fromMs, toMs };
  const order = orderOf(arrivedAtMs);
  return {
    component,
    arrivedAtMs: Float64Array.from(order, (i) => arrivedAtMs[i]!),
    durationMs: Float32Array.from(order, (i) => durationMs[i]!),
    cpuMs: Float32Array.from(order, (i) => cpuMs[i]!),
    fromMs,
    toMs,
  };
}
