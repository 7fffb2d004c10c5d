import type { Traffic } from '../../model/simulation.ts';
import { Random } from '../random.ts';
import type { Span } from '../traffic/traced.ts';

const MINUTE_MS = 60_000;

type Columns = Pick<Traffic, 'arrivedAtMs' | 'durationMs' | 'cpuMs'>;

/**
 * Arrivals of `span`, `times` as many: all of them again for each whole time, moved by up to a minute as one, and of the rest each by chance.
 * The first copy stays where it is; what the others lose behind the end comes at the beginning.
 */
export function repeated(traffic: Traffic, span: Span, times: number, seed: number): Traffic {
  const [first, end] = range(traffic, span);
  const { component, arrivedAtMs, durationMs, cpuMs } = traffic;
  const cut: Columns = {
    arrivedAtMs: arrivedAtMs.subarray(first, end),
    durationMs: durationMs.subarray(first, end),
    cpuMs: cpuMs.subarray(first, end),
  };
  const whole = Math.floor(times);
  const random = new Random(seed, 'times');
  const lengthMs = span.toMs - span.fromMs;
  const later = (): number => random.next() * Math.min(MINUTE_MS, lengthMs / 2);
  let copies: Columns[] = Array.from({ length: whole }, (_, i) =>
    i === 0 ? cut : moved(cut, later(), span),
  );
  if (times > whole) {
    const kept = thinned(cut, times - whole, random);
    copies.push(whole === 0 ? kept : moved(kept, later(), span));
  }
  while (copies.length > 1) {
    copies = Array.from({ length: Math.ceil(copies.length / 2) }, (_, i) => {
      const [a, b] = [copies[i * 2]!, copies[i * 2 + 1]];
      return b === undefined ? a : together(a, b);
    });
  }
  return { component, fromMs: span.fromMs, toMs: span.toMs, ...copies[0]! };
}

/** The first arrival in `span`, and the first behind it. What comes at the very end of the traffic belongs to its last stretch. */
export function range({ arrivedAtMs, toMs }: Traffic, span: Span): [number, number] {
  const at = (ms: number): number => {
    let [low, high] = [0, arrivedAtMs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (arrivedAtMs[middle]! < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return [at(span.fromMs), span.toMs >= toMs ? arrivedAtMs.length : at(span.toMs)];
}

function thinned({ arrivedAtMs, durationMs, cpuMs }: Columns, share: number, random: Random): Columns {
  const keeps = Uint8Array.from(arrivedAtMs, () => (random.next() < share ? 1 : 0));
  return {
    arrivedAtMs: arrivedAtMs.filter((_, i) => keeps[i] === 1),
    durationMs: durationMs.filter((_, i) => keeps[i] === 1),
    cpuMs: cpuMs.filter((_, i) => keeps[i] === 1),
  };
}

/** All of them later; those beyond the end come first then. */
function moved(
  { arrivedAtMs, durationMs, cpuMs }: Columns,
  laterMs: number,
  { fromMs, toMs }: Span,
): Columns {
  const { length } = arrivedAtMs;
  let beyond = length;
  while (beyond > 0 && arrivedAtMs[beyond - 1]! + laterMs >= toMs) beyond--;
  const moves: Columns = {
    arrivedAtMs: new Float64Array(length),
    durationMs: new Float32Array(length),
    cpuMs: new Float32Array(length),
  };
  for (let i = 0; i < length; i++) {
    const from = (i + beyond) % length;
    const atMs = arrivedAtMs[from]! + laterMs;
    moves.arrivedAtMs[i] = from >= beyond ? Math.max(fromMs, atMs - (toMs - fromMs)) : atMs;
    moves.durationMs[i] = durationMs[from]!;
    moves.cpuMs[i] = cpuMs[from]!;
  }
  return moves;
}

/** Both in one order. */
function together(a: Columns, b: Columns): Columns {
  const length = a.arrivedAtMs.length + b.arrivedAtMs.length;
  const both: Columns = {
    arrivedAtMs: new Float64Array(length),
    durationMs: new Float32Array(length),
    cpuMs: new Float32Array(length),
  };
  let [inA, inB] = [0, 0];
  for (let i = 0; i < length; i++) {
    const isA =
      inB === b.arrivedAtMs.length ||
      (inA < a.arrivedAtMs.length && a.arrivedAtMs[inA]! <= b.arrivedAtMs[inB]!);
    const [of, at] = isA ? [a, inA++] : [b, inB++];
    both.arrivedAtMs[i] = of.arrivedAtMs[at]!;
    both.durationMs[i] = of.durationMs[at]!;
    both.cpuMs[i] = of.cpuMs[at]!;
  }
  return both;
}
