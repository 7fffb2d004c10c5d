import { machineMs } from '../events-app/clock.ts';
import type { Item, Sku } from './values.ts';

let startedAtMs = machineMs();

/** In each instance: a zygote's module was loaded before. */
export function onStart(): void {
  startedAtMs = machineMs();
}

export async function priceOf({ sku, quantity }: Sku): Promise<{ cents: number }> {
  return { cents: sku.length * quantity };
}

export async function countItems(items: readonly Item[]): Promise<{ cents: number }> {
  return { cents: items.length };
}

export async function countBytes(bytes: Uint8Array): Promise<{ cents: number }> {
  return { cents: bytes.length };
}

/** @returns when the instance that answers was started, in ms of the machine's clock. */
export async function startOf(): Promise<number> {
  return startedAtMs;
}
