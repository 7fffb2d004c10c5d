import type { PriceBook, ServicePrices, Tier } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import type { BillOptions } from '../bill-options.ts';
import { ownLine, requestLine, type Draft, type Drafted } from './draft.ts';
import { memoryOf, GB } from './memory.ts';
import { fitsMemory, sized, type Sized } from './size.ts';
import { flat } from './tiers.ts';

const HOUR_MS = 3_600_000;
const HOUR_S = 3600;
const MS_PER_S = 1000;

/** Why these prices cannot hold `used`; null where they can. */
export function whyNoService(used: Used, book: PriceBook, options: BillOptions): string | null {
  if (book.service === null) return `${book.title} sells no services.`;
  const diskGb = options.diskGb ?? 0;
  if (diskGb > 0 && book.service.machines.length === 0 && book.service.disk === null)
    return `${book.title} sells no disk, and ${diskGb} GB are asked for.`;
  if (fitsMemory(used, book.service, options)) return null;
  const gb = memoryOf(used, options.memoryBytes) / GB;
  return `${book.title} sells nothing with the ${Number(gb.toFixed(3))} GB of memory that ${used.component} has.`;
}

/** The lines of a service. There must be none of {@link whyNoService}. */
export function serviceLines(used: Used, book: PriceBook, options: BillOptions): Drafted {
  const prices = withSpot(book.service!, options.spotFactor ?? 1);
  const size = sized(used, book, options)!;
  const billedMs = billedUnitMs(size, used, prices);
  const compute =
    size.machine === null ? sizeLines(size, billedMs, prices, used) : machineLines(size, billedMs, prices);
  const requests = requestLine(
    'requests',
    'Requests',
    used.executed,
    prices.perMillionRequests,
    ['service.perMillionRequests'],
    prices.free.requests,
  );
  const disk = diskLine(size, billedMs, prices, options);
  const spot =
    options.spotFactor === undefined
      ? []
      : [`spare capacity at ${options.spotFactor} of the price, as given; it may be taken away`];
  return { drafts: [...compute, requests, ...disk], assumptions: [...size.reasons, ...spot] };
}

/** What is bought of spare capacity: replicas and machines, at a share of their prices. */
function withSpot(prices: ServicePrices, factor: number): ServicePrices {
  if (factor === 1) return prices;
  const times = (tiers: readonly Tier[]): Tier[] =>
    tiers.map((tier) => ({ ...tier, price: tier.price * factor }));
  return {
    ...prices,
    perVcpuHour: times(prices.perVcpuHour),
    perGbHour: times(prices.perGbHour),
    machines: prices.machines.map((machine) => ({ ...machine, perHour: machine.perHour * factor })),
  };
}

/** Each unit's time is rounded up; of those that come and go only the sum is known, and so half a step is added for each. */
function billedUnitMs(size: Sized, used: Used, prices: ServicePrices): number {
  const stepMs = prices.granularityS * MS_PER_S;
  const all = used.toMs - used.fromMs;
  const steady = size.unitMs === size.units * all;
  const rounded = steady
    ? size.units * Math.ceil(all / stepMs) * stepMs
    : size.unitMs + (size.starts * stepMs) / 2;
  return Math.max(rounded, size.starts * prices.minimumS * MS_PER_S);
}

function sizeLines(size: Sized, billedMs: number, prices: ServicePrices, used: Used): Draft[] {
  const { idle, free } = prices;
  const idleMs = idle === null ? 0 : Math.min(size.idleMs, billedMs);
  const activeHours = (billedMs - idleMs) / HOUR_MS;
  const line = (
    id: string,
    title: string,
    quantity: number,
    unit: string,
    tiers: Draft['tiers'],
    key: string,
    freeSeconds = 0,
  ): Draft =>
    ownLine(
      {
        id,
        title,
        quantity,
        unit,
        tiers,
        restsOn: [`service.${key}`, 'service.sizes', 'service.vcpuBilled'],
      },
      freeSeconds / HOUR_S,
    );
  const vcpuHours = prices.vcpuBilled === 'held' ? activeHours * size.vcpu : cpuMsOf(used) / HOUR_MS;
  const lines = [
    line('vcpu-hours', 'vCPU', vcpuHours, 'vCPU-h', prices.perVcpuHour, 'perVcpuHour', free.vcpuSeconds),
    line('gb-hours', 'Memory', activeHours * size.gb, 'GB-h', prices.perGbHour, 'perGbHour', free.gbSeconds),
  ];
  if (idle === null) return lines;
  const idleHours = idleMs / HOUR_MS;
  return [
    ...lines,
    line(
      'idle-vcpu-hours',
      'vCPU, nothing to do',
      idleHours * size.vcpu,
      'vCPU-h',
      flat(idle.perVcpuHour),
      'idle.perVcpuHour',
    ),
    line(
      'idle-gb-hours',
      'Memory, nothing to do',
      idleHours * size.gb,
      'GB-h',
      flat(idle.perGbHour),
      'idle.perGbHour',
    ),
  ];
}

/** All that instances took, where somebody measured it beside what invocations took. */
function cpuMsOf(used: Used): number {
  return Math.max(used.cpuMs, used.instances.cpuMs);
}

function machineLines(size: Sized, billedMs: number, prices: ServicePrices): Draft[] {
  const { name } = size.machine!;
  const at = prices.machines.findIndex((machine) => machine.name === name);
  const { perHour } = prices.machines[at]!;
  const restsOn = [`service.machines[${at}]`];
  const hours = billedMs / HOUR_MS;
  const machines = ownLine({
    // Machines of two kinds are two lines, as they have two prices.
    id: `machine-hours-${name}`,
    title: `Machines, ${name}`,
    quantity: hours,
    unit: 'h',
    tiers: flat(perHour),
    restsOn,
  });
  if (prices.surcharge === 0) return [machines];
  const surcharge = ownLine({
    id: 'surcharge',
    title: `Surcharge of ${Number((prices.surcharge * 100).toFixed(2))} %`,
    quantity: hours * perHour,
    unit: 'of the machines',
    tiers: flat(prices.surcharge),
    restsOn: ['service.surcharge', ...restsOn],
  });
  return [machines, surcharge];
}

function diskLine(size: Sized, billedMs: number, prices: ServicePrices, options: BillOptions): Draft[] {
  const { disk } = prices;
  if (disk === null) return [];
  const extraGb = Math.max(0, Math.max(options.diskGb ?? 0, size.diskGb) - disk.includedGb);
  return [
    ownLine({
      id: 'disk',
      title: 'Disk',
      quantity: (extraGb * billedMs) / HOUR_MS,
      unit: 'GB-h',
      tiers: disk.perGbHour,
      restsOn: ['service.disk'],
    }),
  ];
}
