import type { Fault } from './bad-rows.ts';
import { LoggedFunctions } from './logged.ts';
import { parseLogMoment } from './moments.ts';
import { Random } from '../random.ts';
import type { ReaderOptions, ReadTrace, TraceReader } from './traced.ts';

/** Host, identity, user, [time], "request", status, bytes; in the combined format "referer" and "agent"; then whatever was added. */
const ROW =
  /^\S+ \S+ .*?\[([^\]]*)\] "((?:[^"\\]|\\.)*)" (\d{3}) (?:\d+|-)(?: "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*")?(.*)$/;
/** `rt=0.012`, `request_time:0.012`; or the first field of its own that is a number: of nginx in seconds with a point, of Apache's %D in whole µs. */
const NAMED_TIME = /\b(?:rt|request_?time|duration)[=:]"?(\d+\.\d+)\b/;
const OWN_TIME = /(?:^|\s)"?(\d+(\.\d+)?)"?(?=\s|$)/;
const SECOND_MS = 1_000;

export function isAccessLogRow(line: string): boolean {
  const found = ROW.exec(line);
  return found !== null && parseLogMoment(found[1]!) !== null;
}

/**
 * Access logs in the common or combined format of Apache and nginx, with or without a field for the time that a request took. Their time is in
 * whole seconds: within it a request is placed at random. nginx writes a row when the request is over, Apache gives the time of its beginning.
 */
export class AccessLogReader implements TraceReader {
  readonly #functions = new LoggedFunctions();
  readonly #options: ReaderOptions;
  readonly #random: Random;
  #name: string | null = null;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#random = new Random(options.seed, 'access-log');
  }

  begin(name: string): void {
    // Files of a rotated log are of one server.
    this.#name ??= name;
  }

  read(line: string): Fault | null {
    const found = ROW.exec(line);
    if (found === null) {
      return { found: line, expected: 'a row of an access log: host - user [time] "request" status bytes …' };
    }
    const [, time, request, , rest] = found;
    const atMs = parseLogMoment(time!);
    if (atMs === null) return { found: time!, expected: 'a time such as 10/Oct/2026:13:55:36 +0000' };
    const { durationMs, atEnd } = requestTime(rest!);
    const placedMs = atMs + this.#random.next() * SECOND_MS;
    this.#functions.add({
      name: this.#options.pathSegments === 0 ? this.#name! : pathName(request!, this.#options.pathSegments),
      arrivedAtMs: atEnd ? placedMs - durationMs : placedMs,
      durationMs,
      cpuMs: NaN,
      memoryBytes: NaN,
    });
    return null;
  }

  finish(): ReadTrace {
    return this.#functions.finish(this.#options.durations);
  }
}

function requestTime(rest: string): { durationMs: number; atEnd: boolean } {
  if (rest === '') return { durationMs: NaN, atEnd: false };
  const named = NAMED_TIME.exec(rest);
  if (named !== null) return { durationMs: Number(named[1]) * SECOND_MS, atEnd: true };
  const own = OWN_TIME.exec(rest);
  if (own === null) return { durationMs: NaN, atEnd: false };
  const seconds = own[2] !== undefined;
  return { durationMs: seconds ? Number(own[1]) * SECOND_MS : Number(own[1]) / 1_000, atEnd: seconds };
}

/** `/api/catalog` of `GET /api/catalog/A-1?x=1 HTTP/1.1`. */
function pathName(request: string, segments: number): string {
  const target = request.split(' ')[1] ?? '/';
  const path = target.replace(/^\w+:\/\/[^/]*/, '').replace(/[?#].*$/, '');
  return `/${path.split('/').filter(Boolean).slice(0, segments).join('/')}`;
}
