import type { FunctionPrices, FreeTier, PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import type { BillOptions } from '../bill-options.ts';
import { billedTime } from './billed-time.ts';
import { ownLine, requestLine, type Draft, type Drafted } from './draft.ts';
import { memoryOf, MB, soldMemoryMb } from './memory.ts';
import { shareOfProvisioned } from './provisioned.ts';
import { flat, hasPrice } from './tiers.ts';

const MB_PER_GB = 1024;
const MS_PER_S = 1000;
const MILLION = 1_000_000;
const NOTHING_FREE: FreeTier = { requests: 0, gbSeconds: 0, vcpuSeconds: 0, cpuMs: 0 };
/** Whatever a duration's price rests on beside the price itself. */
const TIME_RULES = ['granularityMs', 'minimumMs', 'billsInit', 'concurrent'];
const MEMORY_RULES = ['memoryStepMb', 'leastMb', 'sizesMb'];

/** What an instance has there. */
interface Size {
  readonly mb: number;
  readonly vcpu: number;
}

/** Why these prices cannot hold `used`; null where they can. */
export function whyNoFunction(used: Used, book: PriceBook, options: BillOptions): string | null {
  const prices = book.function;
  if (prices === null) return `${book.title} sells no functions.`;
  if (options.provisioned !== undefined && options.provisioned.instances > 0 && prices.provisioned === null)
    return `${book.title} keeps no instances ready.`;
  const bytes = memoryOf(used, options.memoryBytes);
  if (soldMemoryMb(bytes, prices) !== null) return null;
  return `${book.title} sells functions of up to ${prices.sizesMb.at(-1) ?? prices.mostMb} MB, and ${used.component} has ${Math.ceil(bytes / MB)} MB.`;
}

/** The lines of a function. There must be none of {@link whyNoFunction}. */
export function functionLines(used: Used, book: PriceBook, options: BillOptions): Drafted {
  const prices = book.function!;
  const size = sizeOf(used, prices, options);
  const ready = options.provisioned?.instances ?? 0;
  const free = ready > 0 && prices.provisioned?.keepsFree === false ? NOTHING_FREE : prices.free;
  const drafts: Draft[] = [
    requestLine(
      'requests',
      'Requests',
      used.executed,
      prices.perMillionRequests,
      ['function.perMillionRequests'],
      free.requests,
    ),
  ];
  const assumptions = [...memoryWords(used, options, size)];
  if (prices.billsWait) {
    const time = timeOf(used, prices, size, options);
    const split = splitTime(used, prices, time.ms, options);
    drafts.push(...timeLines(prices, size, split.ordinaryMs, free), ...readyLines(used, prices, size, split));
    assumptions.push(...time.assumptions, ...split.assumptions);
  }
  if (hasPrice(prices.perMillionCpuMs))
    drafts.push(
      ownLine(
        {
          id: 'cpu-ms',
          title: 'CPU time',
          quantity: used.cpuMs / MILLION,
          unit: 'million CPU-ms',
          tiers: prices.perMillionCpuMs,
          restsOn: ['function.perMillionCpuMs'],
        },
        free.cpuMs / MILLION,
      ),
    );
  return { drafts, assumptions };
}

function sizeOf(used: Used, prices: FunctionPrices, options: BillOptions): Size {
  const mb = soldMemoryMb(memoryOf(used, options.memoryBytes), prices)!;
  const gb = mb / MB_PER_GB;
  if (prices.vcpuPerGb !== null) return { mb, vcpu: gb * prices.vcpuPerGb };
  const least = prices.mostGbPerVcpu === null ? 0 : Math.ceil(gb / prices.mostGbPerVcpu);
  return { mb, vcpu: Math.max(options.vcpus ?? 1, least) };
}

function memoryWords(used: Used, options: BillOptions, size: Size): string[] {
  const askedMb = memoryOf(used, options.memoryBytes) / MB;
  // Less than a millionth is a division's.
  if (Math.abs(askedMb - size.mb) < 1e-6) return [];
  return [`${Number(askedMb.toFixed(1))} MB of memory are sold as ${size.mb} MB`];
}

function timeOf(
  used: Used,
  prices: FunctionPrices,
  size: Size,
  options: BillOptions,
): { ms: number; assumptions: string[] } {
  const billed = billedTime(used, prices);
  const assumptions = [...billed.assumptions];
  let { ms } = billed;
  if (size.vcpu < 1 && used.cpuMs > 0 && prices.vcpuPerGb !== null) {
    const times = Number((1 / size.vcpu).toFixed(1));
    if (options.providerCpu) {
      ms += used.cpuMs * (1 / size.vcpu - 1);
      assumptions.push(
        `CPU time × ${times}, as ${size.mb} MB come with ${Number(size.vcpu.toFixed(2))} vCPU`,
      );
    } else if (options.measuredThere !== true)
      assumptions.push(
        `durations as on this machine: ${size.mb} MB come with ${Number(size.vcpu.toFixed(2))} vCPU, on which CPU time takes up to ${times} times as long`,
      );
  }
  // An instance's time is billed once, however many requests it works on, and there is no more of it than instances have lived.
  if (prices.concurrent && (options.concurrency ?? 1) > 1 && used.instances.livedMs > 0) {
    assumptions.push(
      'time of requests that share an instance is billed once: at most what the instances lived',
    );
    ms = Math.min(ms, used.instances.livedMs);
  }
  return { ms, assumptions };
}

interface SplitTime {
  readonly ordinaryMs: number;
  /** On instances that are kept ready, at prices of their own. */
  readonly readyRunMs: number;
  /** For which held prices are paid. */
  readonly heldMs: number;
  readonly assumptions: readonly string[];
}

function splitTime(used: Used, prices: FunctionPrices, ms: number, options: BillOptions): SplitTime {
  const { provisioned } = prices;
  const instances = options.provisioned?.instances ?? 0;
  if (provisioned === null || instances === 0)
    return { ordinaryMs: ms, readyRunMs: 0, heldMs: 0, assumptions: [] };
  const stepMs = provisioned.granularityS * MS_PER_S;
  const allMs = instances * Math.ceil((used.toMs - used.fromMs) / stepMs) * stepMs;
  const known = options.provisioned?.runMs;
  const share = shareOfProvisioned(used, instances);
  const runMs = Math.min(ms, known ?? ms * share, allMs);
  const assumptions =
    known === undefined
      ? [
          `${(share * 100).toFixed(1)} % of the work on the ${instances} kept ready, by Erlang's loss formula for each minute`,
        ]
      : [];
  return provisioned.held === 'always'
    ? { ordinaryMs: ms - runMs, readyRunMs: runMs, heldMs: allMs, assumptions }
    : { ordinaryMs: ms, readyRunMs: 0, heldMs: allMs - runMs, assumptions };
}

function timeLines(prices: FunctionPrices, size: Size, ms: number, free: FreeTier): Draft[] {
  const rules = [...TIME_RULES, ...MEMORY_RULES].map((key) => `function.${key}`);
  return [
    ownLine(
      {
        id: 'gb-seconds',
        title: 'Memory',
        quantity: gbSeconds(ms, size),
        unit: 'GB-s',
        tiers: prices.perGbSecond,
        restsOn: ['function.perGbSecond', ...rules],
      },
      free.gbSeconds,
    ),
    ownLine(
      {
        id: 'vcpu-seconds',
        title: 'vCPU',
        quantity: vcpuSeconds(ms, size),
        unit: 'vCPU-s',
        tiers: prices.perVcpuSecond,
        restsOn: ['function.perVcpuSecond', 'function.vcpuPerGb', ...rules],
      },
      free.vcpuSeconds,
    ),
  ];
}

function readyLines(used: Used, prices: FunctionPrices, size: Size, split: SplitTime): Draft[] {
  const { provisioned } = prices;
  if (provisioned === null) return [];
  const line = (
    id: string,
    title: string,
    quantity: number,
    unit: string,
    key: Exclude<keyof typeof provisioned, 'held' | 'keepsFree'>,
  ): Draft =>
    ownLine({
      id,
      title,
      quantity,
      unit,
      tiers: flat(provisioned[key]),
      restsOn: [`function.provisioned.${key}`, 'function.provisioned.granularityS'],
    });
  const held = gbSeconds(split.heldMs, size);
  const run = gbSeconds(split.readyRunMs, size);
  return [
    line('ready-gb-seconds', 'Memory kept ready', held, 'GB-s', 'perGbSecondHeld'),
    line(
      'ready-vcpu-seconds',
      'vCPU kept ready',
      vcpuSeconds(split.heldMs, size),
      'vCPU-s',
      'perVcpuSecondHeld',
    ),
    line('ready-run-gb-seconds', 'Memory at work, kept ready', run, 'GB-s', 'perGbSecondRun'),
    line(
      'ready-run-vcpu-seconds',
      'vCPU at work, kept ready',
      vcpuSeconds(split.readyRunMs, size),
      'vCPU-s',
      'perVcpuSecondRun',
    ),
  ];
}

/** One division, so that what is a whole number of ms and MB is as exact as a double can be. */
function gbSeconds(ms: number, size: Size): number {
  return (ms * size.mb) / (MB_PER_GB * MS_PER_S);
}

function vcpuSeconds(ms: number, size: Size): number {
  return (ms * size.vcpu) / MS_PER_S;
}
