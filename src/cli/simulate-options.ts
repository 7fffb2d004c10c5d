import { InvalidArgumentError } from 'commander';
import { FORMATS, type Format } from '../advisor/traffic/formats.ts';
import { SHAPES, type Generated, type Shape } from '../advisor/traffic/generate.ts';
import { parseBytes } from '../base/bytes.ts';
import { parseDuration } from '../base/duration.ts';
import { nearest } from '../base/suggest.ts';

/** A median and a 99th percentile, in ms. */
export interface TwoQuantiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const LONGEST_MS = 366 * 86_400_000;
const MOST_GENERATED = 100_000_000;

/** `100ms`, or `100ms,1s`: the same for all, or a median and a 99th percentile. */
export function twoQuantiles(text: string): TwoQuantiles {
  const [p50Ms, p99Ms = p50Ms, ...more] = text.split(',').map(parseDuration);
  if (p50Ms === null || p50Ms === undefined || p99Ms === null || p99Ms === undefined || more.length > 0) {
    throw new InvalidArgumentError('It is a duration such as 80ms, or p50 and p99: 80ms,1.5s.');
  }
  if (p99Ms < p50Ms) throw new InvalidArgumentError('p99 is less than p50.');
  return { p50Ms, p99Ms };
}

export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('It is a duration such as 500ms, 1s, 10m.');
  return ms;
}

export function memory(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === null || bytes < 1024 ** 2)
    throw new InvalidArgumentError('It is a size such as 512MB, 1.5GB.');
  return bytes;
}

/** `0.3`, `30%`: 0 to 1. */
export function share(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('It is a share from 0 to 1, such as 0.3 or 30%.');
  }
  return value;
}

export function format(text: string): Format {
  const found = FORMATS.find((one) => one === text);
  if (found !== undefined) return found;
  const near = nearest(text, FORMATS);
  throw new InvalidArgumentError(
    near === null ? `It is one of ${FORMATS.join(', ')}.` : `Did you mean "${near}"?`,
  );
}

/** `poisson:5/s:1d`: a shape, so many arrivals a second, minute, hour or day, for how long. */
export function generatedTraffic(text: string): Generated {
  const [shape = '', rate = '', length = '', ...more] = text.split(':');
  const found = /^(\d+(?:\.\d+)?)\/([smhd])$/.exec(rate);
  const lengthMs = parseDuration(length);
  const isShape = (SHAPES as readonly string[]).includes(shape);
  if (!isShape || found === null || lengthMs === null || more.length > 0) {
    throw new InvalidArgumentError(
      `It is SHAPE:RATE:LENGTH such as poisson:5/s:1d; SHAPE is ${SHAPES.join(', ')}.`,
    );
  }
  const perSecond = Number(found[1]) / SECONDS[found[2]!]!;
  const arrivals = (perSecond * lengthMs) / 1_000;
  if (!(arrivals >= 1) || arrivals > MOST_GENERATED || lengthMs > LONGEST_MS) {
    throw new InvalidArgumentError('It is 1 to 100,000,000 arrivals within a year.');
  }
  return { shape: shape as Shape, rate: perSecond, lengthMs };
}
