// Realistic visits to the shop: `npm run shop:traffic -- --rps 50 --minutes 2 [--seed 1] [--url URL] [--json]`.
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { exponential, seeded } from './random.ts';
import { requestsPerVisit, visit, type Step } from './visit.ts';

const USAGE = `Usage: npm run shop:traffic -- [--rps 50] [--minutes 2] [--seed 1] [--url http://localhost:8080] [--json]

Visits arrive as a Poisson process; each looks around, some buy. The same seed gives the same visits.
Exit status: 0 when every request was answered well, 1 when one failed, 2 for a mistake in the options.`;

interface Tally {
  count: number;
  failed: number;
  durationsMs: number[];
}

const MAX_VISITS_AT_ONCE = 2_000;
const PAUSE_MS = 400;

const options = readOptions();
const random = seeded(options.seed);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const tallies = new Map<string, Tally>();
const failures = new Map<string, number>();
let visitors = 0;
let skipped = 0;

const visitsPerMs = options.rps / 1_000 / requestsPerVisit(seeded(0));
const endMs = performance.now() + options.minutes * 60_000;
const visits: Promise<void>[] = [];
const ticker = options.json ? null : setInterval(tell, 5_000);

let nextMs = performance.now();
for (;;) {
  nextMs += exponential(random, 1 / visitsPerMs);
  if (nextMs >= endMs) break;
  await wait(Math.max(0, nextMs - performance.now()));
  // The steps are drawn even where the visit is skipped, so that a slow server does not change the later visits.
  const steps = visit(random);
  const pauses = steps.map(() => exponential(random, PAUSE_MS));
  if (visitors >= MAX_VISITS_AT_ONCE) skipped += 1;
  else visits.push(carryOut(steps, pauses));
}
await Promise.all(visits);
if (ticker) clearInterval(ticker);
agent.destroy();
finish();

async function carryOut(steps: readonly Step[], pausesMs: readonly number[]): Promise<void> {
  visitors += 1;
  let cookie = '';
  let location: string | null = null;
  for (const [i, step] of steps.entries()) {
    const begunMs = performance.now();
    const path = step.follows === true ? (location ?? step.path) : step.path;
    const answer: Answer = await send({ ...step, path }, cookie).catch((error: Error) => ({
      status: 0,
      cookie: null,
      location: null,
      problem: error.message,
    }));
    ({ location } = answer);
    note(step.name, performance.now() - begunMs, answer.status, answer.problem);
    if (answer.cookie !== null) cookie = answer.cookie;
    await wait(pausesMs[i]);
  }
  visitors -= 1;
}

interface Answer {
  readonly status: number;
  readonly cookie: string | null;
  readonly location: string | null;
  readonly problem: string | null;
}

function send(step: Step, cookie: string): Promise<Answer> {
  const body = step.form ? new URLSearchParams(step.form).toString() : null;
  const headers: Record<string, string> = { accept: 'text/html' };
  if (cookie) headers.cookie = cookie;
  if (body !== null) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(step.path, options.url),
      { method: step.method, headers, agent, timeout: 30_000 },
      (response) => {
        const set = response.headers['set-cookie']?.find((line) => line.startsWith('cart='));
        response.on('data', () => undefined);
        response.on('error', reject);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          const problem = status >= 400 ? `${step.method} ${step.path.split('?')[0]} gave ${status}` : null;
          const location = response.headers.location ?? null;
          resolve({ status, cookie: set?.split(';')[0] ?? null, location, problem });
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${step.method} ${step.path} took over 30 s`)));
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}

function note(name: string, durationMs: number, status: number, problem: string | null): void {
  const tally = tallies.get(name) ?? { count: 0, failed: 0, durationsMs: [] };
  tallies.set(name, tally);
  tally.count += 1;
  tally.durationsMs.push(durationMs);
  if (status >= 200 && status < 400) return;
  tally.failed += 1;
  const what = problem ?? `status ${status}`;
  if (failures.has(what) || failures.size < 50) failures.set(what, (failures.get(what) ?? 0) + 1);
}

function summary(): {
  requests: number;
  failed: number;
  skipped: number;
  steps: Record<string, object>;
  failures: object;
} {
  const steps: Record<string, object> = {};
  for (const [name, tally] of [...tallies].sort(([a], [b]) => a.localeCompare(b))) {
    const sorted = tally.durationsMs.toSorted((a, b) => a - b);
    const at = (part: number): number =>
      Number(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!.toFixed(1));
    steps[name] = {
      requests: tally.count,
      failed: tally.failed,
      p50Ms: at(0.5),
      p90Ms: at(0.9),
      p99Ms: at(0.99),
    };
  }
  const all = [...tallies.values()];
  return {
    requests: all.reduce((sum, tally) => sum + tally.count, 0),
    failed: all.reduce((sum, tally) => sum + tally.failed, 0),
    skipped,
    steps,
    failures: Object.fromEntries(failures),
  };
}

function tell(): void {
  const { requests, failed } = summary();
  const left = Math.max(0, Math.round((endMs - performance.now()) / 1_000));
  console.log(`${requests} requests, ${failed} failed, ${visitors} visitors in the shop, ${left} s to go`);
}

function finish(): void {
  const result = summary();
  if (options.json) console.log(JSON.stringify(result));
  else {
    console.table(result.steps);
    console.log(
      `${result.requests} requests, ${result.failed} failed${skipped ? `, ${skipped} visits skipped: the server is too slow` : ''}`,
    );
    for (const [what, times] of failures) console.log(`  ${times} × ${what}`);
  }
  process.exitCode = result.failed === 0 ? 0 : 1;
}

function readOptions(): { rps: number; minutes: number; seed: number; url: string; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        rps: { type: 'string', default: '50' },
        minutes: { type: 'string', default: '2' },
        seed: { type: 'string', default: '1' },
        url: { type: 'string', default: 'http://localhost:8080' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const number = (name: 'rps' | 'minutes' | 'seed', most: number): number => {
      const value = Number(values[name]);
      if (!(value > 0 && value <= most))
        throw new Error(`--${name} takes a number above 0 and up to ${most}, not "${values[name]}".`);
      return value;
    };
    return {
      rps: number('rps', 5_000),
      minutes: number('minutes', 1_440),
      seed: number('seed', 2 ** 31),
      url: new URL(values.url).href,
      json: values.json,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
