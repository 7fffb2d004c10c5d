import type { MachinePrices, PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import { optionsOf, type BillOptions } from '../bill-options.ts';
import { timeWeight, type Draft, type Drafted } from './draft.ts';
import { GB, memoryOf } from './memory.ts';
import { TARGET } from './needed.ts';
import { flat } from './tiers.ts';

const MINUTE_MS = 60_000;

/** Why this machine cannot hold `used`; null where it can. */
export function whyNoMachine(used: Used, book: PriceBook, options: BillOptions): string | null {
  const machine = book.machine;
  if (machine === null) return `${book.title} sells no machine.`;
  const gb = memoryOf(used, options.memoryBytes) / GB;
  return gb <= machine.gb
    ? null
    : `${book.title} has ${machine.gb} GB, and ${used.component} has ${Number(gb.toFixed(3))} GB.`;
}

/** How many machines carry all components at their peaks; 0 where the book has none. */
export function machinesFor(all: readonly Used[], book: PriceBook, options: BillOptions): number {
  const prices = book.machine;
  if (prices === null) return 0;
  return Math.max(1, Math.ceil(peaksOf(all, prices, options).reduce((sum, peak) => sum + peak, 0) - 1e-9));
}

/** By component: one that ran in both modes, or in one of them twice, was not there in all of them at a time. */
function peaksOf(all: readonly Used[], prices: MachinePrices, options: BillOptions): number[] {
  const peaks = new Map<string, number>();
  for (const each of all) {
    const peak = peakOf(each, prices, optionsOf(each.component, options));
    peaks.set(each.component, Math.max(peaks.get(each.component) ?? 0, peak));
  }
  return [...peaks.values()];
}

/**
 * The lines of machines of one's own, borne by each component as it uses them on average. There must be none of {@link whyNoMachine}.
 * `months` is the length of the stretch, `machines` what {@link machinesFor} says.
 */
export function ownMachineLines(
  used: Used,
  book: PriceBook,
  options: BillOptions,
  months: number,
  machines: number,
): Drafted {
  const prices = book.machine!;
  const weight = weightOf(used, prices, options) * timeWeight(used);
  const line = (
    id: string,
    title: string,
    quantity: number,
    unit: string,
    price: number,
    key: string,
  ): Draft => ({
    id,
    title,
    quantity,
    unit,
    tiers: flat(price),
    freePerMonth: 0,
    restsOn: [`machine.${key}`],
    weight,
  });
  return {
    drafts: [
      line('machines', 'Machines', machines * months, 'months', prices.perMonth, 'perMonth'),
      line(
        'operation',
        'Operation',
        prices.operationHoursPerMonth * months,
        'h',
        prices.operationPerHour,
        'operationPerHour',
      ),
    ],
    assumptions: [
      `${machines} machine${machines === 1 ? '' : 's'} of ${prices.vcpu} vCPU and ${prices.gb} GB at the peak, ${TARGET * 100} % of the vCPUs used at most`,
      'machines and operation are shared by what each component uses of them',
    ],
  };
}

/** Machines that it fills in its busiest minute: by CPU or by memory, whichever is more. */
function peakOf(used: Used, prices: MachinePrices, options: BillOptions): number {
  const minutes = used.load.map((minute) => ({
    vcpu: minute.cpuMs / MINUTE_MS,
    instances: minute.busiest ?? minute.workMs / MINUTE_MS,
  }));
  const gb = memoryOf(used, options.memoryBytes) / GB;
  const lasting = averageOf(used);
  return minutes.reduce(
    (most, minute) =>
      Math.max(
        most,
        minute.vcpu / prices.vcpu / TARGET,
        // Instances work on one request or on several: of a service at most what is held on average tells how many there are.
        used.mode === 'function' ? (minute.instances * gb) / prices.gb : 0,
      ),
    Math.max(
      lasting.vcpu / prices.vcpu / TARGET,
      lasting.gb / prices.gb,
      gb / prices.gb,
      serviceShare(used, gb, prices, options),
    ),
  );
}

function serviceShare(used: Used, gb: number, prices: MachinePrices, options: BillOptions): number {
  if (used.mode !== 'service') return 0;
  const busiest = used.load.reduce((most, minute) => Math.max(most, minute.busiest ?? 0), 0);
  const replicas = Math.max(options.minReplicas ?? 1, busiest / (options.concurrency ?? Infinity));
  return (Math.ceil(replicas) * gb) / prices.gb;
}

/** Its part of the machine on average, never nothing: what is deployed has a place there. */
function weightOf(used: Used, prices: MachinePrices, options: BillOptions): number {
  const average = averageOf(used);
  const gb = Math.max(average.gb, used.mode === 'service' ? memoryOf(used, options.memoryBytes) / GB : 0);
  return Math.max(average.vcpu / prices.vcpu, gb / prices.gb, 1e-9);
}

function averageOf(used: Used): { vcpu: number; gb: number } {
  const ms = Math.max(1, used.toMs - used.fromMs);
  return { vcpu: used.cpuMs / ms, gb: Math.max(used.instances.heldByteMs, used.byteMs) / ms / GB };
}
