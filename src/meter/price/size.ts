import type { MachineForSale, PriceBook, ServicePrices, SizeForSale } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import type { BillOptions } from '../bill-options.ts';
import { GB, memoryOf } from './memory.ts';
import { neededBy, TARGET } from './needed.ts';

/** Of each machine: what the operating system takes. */
const SYSTEM_GB = 0.25;

/** What a service is bought as. */
export interface Sized {
  /** `0.25 vCPU, 0.5 GB`, `t3.small`. */
  readonly name: string;
  readonly vcpu: number;
  readonly gb: number;
  /** That is bought with it. */
  readonly diskGb: number;
  /** Null: by vCPU and GB. */
  readonly machine: MachineForSale | null;
  /** Replicas, or machines where those are bought: at the peak, and of each in ms over the stretch. */
  readonly units: number;
  readonly unitMs: number;
  /** Of `unitMs`: with nothing to do. */
  readonly idleMs: number;
  readonly starts: number;
  /** For the stretch, at the book's prices without tiers and anything free: what sizes are compared by. */
  readonly cost: number;
  /** Why so many and so large. */
  readonly reasons: readonly string[];
}

interface Candidate {
  readonly name: string;
  readonly vcpu: number;
  readonly sustainedVcpu: number;
  readonly gb: number;
  readonly diskGb: number;
  readonly machine: MachineForSale | null;
  /** Replicas that find room. */
  readonly holds: number;
}

/**
 * The cheapest that `book` sells which carries `used`: memory of the setting, CPU time at 70 % of each replica in every minute (of machines on
 * credits also at what they may use all day), requests at a time at their peak, and the least number of replicas. Follows the load minute by
 * minute, but has never fewer replica-hours than were lived; or stays at the peak. Null where nothing that is sold has the memory.
 */
export function sized(used: Used, book: PriceBook, options: BillOptions = {}): Sized | null {
  const prices = book.service;
  if (prices === null) return null;
  const gb = memoryOf(used, options.memoryBytes) / GB;
  let best: Sized | null = null;
  for (const candidate of candidatesFor(gb, prices)) {
    const next = sizedAs(candidate, used, prices, options);
    if (best === null || next.cost < best.cost) best = next;
  }
  return best;
}

/** Whether `book` sells anything with the memory: whether {@link sized} is not null. */
export function fitsMemory(used: Used, prices: ServicePrices, options: BillOptions): boolean {
  return candidatesFor(memoryOf(used, options.memoryBytes) / GB, prices).length > 0;
}

function candidatesFor(gb: number, prices: ServicePrices): Candidate[] {
  const sizes = prices.sizes.flatMap((size): Candidate[] => {
    const bought = boughtGb(gb, size);
    if (bought === null) return [];
    const name = `${size.vcpu} vCPU, ${bought} GB`;
    return [
      {
        name,
        vcpu: size.vcpu,
        sustainedVcpu: size.vcpu,
        gb: bought,
        diskGb: size.diskGb,
        machine: null,
        holds: 1,
      },
    ];
  });
  const machines = prices.machines.flatMap((machine): Candidate[] => {
    // A replica whose memory nobody knows has a machine of its own.
    const holds = gb > 0 ? Math.floor((machine.gb - SYSTEM_GB) / gb + 1e-9) : 1;
    const { name, vcpu, sustainedVcpu } = machine;
    return holds < 1 ? [] : [{ name, vcpu, sustainedVcpu, gb: machine.gb, diskGb: 0, machine, holds }];
  });
  return [...sizes, ...machines];
}

function boughtGb(gb: number, size: SizeForSale): number | null {
  if (gb <= size.leastGb) return size.leastGb;
  const steps = Math.ceil((gb - size.leastGb) / size.stepGb - 1e-9);
  const bought = size.leastGb + steps * size.stepGb;
  return bought <= size.mostGb + 1e-9 ? bought : null;
}

function sizedAs(candidate: Candidate, used: Used, prices: ServicePrices, options: BillOptions): Sized {
  const { holds } = candidate;
  const usable = (vcpu: number): number => Math.min(vcpu, holds * (options.vcpus ?? 1));
  const minReplicas = Math.max(1, options.minReplicas ?? 1);
  const carries = {
    vcpu: usable(candidate.vcpu),
    sustainedVcpu: usable(candidate.sustainedVcpu),
    concurrency: (options.concurrency ?? Infinity) * holds,
    atLeast: Math.ceil(minReplicas / holds),
  };
  const needed = neededBy(used, carries);
  const peak = needed.units;
  const stretchMs = used.toMs - used.fromMs;
  const steadyMs = peak * stretchMs;
  const livedMs = Math.min(used.instances.livedMs / holds, steadyMs);
  const fixed = options.fixedReplicas === true || Math.max(needed.unitMs, livedMs) >= steadyMs;
  const unitMs = fixed ? steadyMs : Math.max(needed.unitMs, livedMs);
  const starts = fixed ? peak : Math.max(peak, used.instances.started / holds);
  const idleMs = Math.max(0, unitMs - needed.busyMs);
  const perHour = pricePerHour(candidate, prices);
  const cost = (perHour * unitMs) / 3_600_000;
  const reasons = reasonsOf(candidate, used, peak, unitMs, fixed, minReplicas, options);
  const { name, vcpu, gb, diskGb, machine } = candidate;
  return { name, vcpu, gb, diskGb, machine, units: peak, unitMs, idleMs, starts, cost, reasons };
}

function pricePerHour(candidate: Candidate, prices: ServicePrices): number {
  if (candidate.machine !== null) return candidate.machine.perHour * (1 + prices.surcharge);
  const vcpu = prices.perVcpuHour.at(-1)?.price ?? 0;
  const gb = prices.perGbHour.at(-1)?.price ?? 0;
  const disk = prices.disk?.perGbHour.at(-1)?.price ?? 0;
  // What is billed by use is the same in every size.
  const held = prices.vcpuBilled === 'held' ? candidate.vcpu * vcpu : 0;
  return held + candidate.gb * gb + candidate.diskGb * disk;
}

function reasonsOf(
  candidate: Candidate,
  used: Used,
  peak: number,
  unitMs: number,
  fixed: boolean,
  minReplicas: number,
  options: BillOptions,
): string[] {
  const { machine, holds } = candidate;
  const noun = machine === null ? 'replica' : `${machine.name} machine`;
  const average = unitMs / Math.max(1, used.toMs - used.fromMs);
  const size = machine === null ? ` of ${candidate.name}` : '';
  const follows = fixed ? ', all the time' : `, ${average.toFixed(1)} on average as the load asks`;
  const reasons = [`sized to ${peak} ${noun}${peak === 1 ? '' : 's'}${size} at the peak${follows}`];
  const memory = memoryOf(used, options.memoryBytes) / GB;
  reasons.push(
    memory > 0
      ? `a replica has ${Number(memory.toFixed(3))} GB of memory by its settings`
      : 'no memory setting is known: the least that is sold',
  );
  if (machine !== null)
    reasons.push(
      `a machine holds up to ${holds} replica${holds === 1 ? '' : 's'}, with ${SYSTEM_GB} GB left to the system`,
    );
  reasons.push(`CPU time of a minute fills ${TARGET * 100} % of a replica at most`);
  if (minReplicas > 1) reasons.push(`never fewer than ${minReplicas} replicas`);
  if (used.load.length === 0) reasons.push('no minutes are known: sized to the average');
  return reasons;
}
