import { ownRequest } from '../advisor/advice/own-request.ts';
import type { AdviceRequest } from '../advisor/advice/request.ts';
import { TRACED_MEMORY_BYTES, tracedFacts } from '../advisor/advice/traced-facts.ts';
import type { OwnComponent, OwnUsage } from '../advisor/own/own-usage.ts';
import { readOwnUsage } from '../advisor/own/read-own-usage.ts';
import { logNormalOf } from '../advisor/traffic/durations.ts';
import { importTrace } from '../advisor/traffic/import-trace.ts';
import { findFiles } from '../advisor/traffic/trace-files.ts';
import { formatDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { UnitFacts } from '../model/advice-facts.ts';
import { DEFAULT_ADVISOR } from '../model/advisor-settings.ts';
import { chosenBooks, type AdviseOptions } from './advise-options.ts';
import { connectToApp } from './connect.ts';
import { spanOf } from './moments.ts';
import { ownLines } from './own-lines.ts';
import { usageLines } from './usage-lines.ts';
import { withReadingBar } from './usage-progress.ts';

/** What is asked, of one component or of all. */
export interface Asked {
  /** Its id. Null: of a trace. */
  readonly app: string | null;
  readonly requests: readonly AdviceRequest[];
  /** What whoever reads the answer should know of the question. */
  readonly notes: readonly string[];
}

const MINUTE_MS = 60_000;
const SAMPLES = 200;
const DEFAULT_SINCE = { kind: 'ago', ms: 14 * 86_400_000 } as const;
const DEFAULT_DURATION = { p50Ms: 100, p99Ms: 1_000 };
/** Invocations of all components together up to which the table of all has reasons. */
const MOST_REASONED = 3_000_000;
/** Of a trace: those with the most arrivals. A trace may hold tens of thousands. */
const MOST_TRACED = 20;

/** Reads what advice is to be made of: an app's own usage from its server or a file, or a trace. Rejects with what reading does, and with `not-found` or `bad-request` for a component that there is none of. */
export async function askedOf(
  component: string | null,
  options: AdviseOptions,
  onProgress: (what: string, share: number) => void,
): Promise<Asked> {
  if (options.trace === undefined) {
    const span = { ...spanOf({ since: options.since ?? DEFAULT_SINCE }), component: null, facts: true };
    onProgress('Reading', 0);
    const lines = usageLines(await connectToApp(options), span);
    return ofOwn(await readOwnUsage(withReadingBar(lines, { set: onProgress })), component, options);
  }
  const { format, files } = await findFiles(options.trace, options.format ?? null);
  if (format !== 'fulcrum') return await ofTrace(component, options, options.trace, onProgress);
  const [file, second] = files;
  if (second !== undefined)
    throw new FulcrumError('usage', 'Give one file of exported usage at a time: each is of one app.');
  const lines = withReadingBar(ownLines(file!.path), { set: onProgress });
  return ofOwn(await readOwnUsage(lines), component, options);
}

function ofOwn(usage: OwnUsage, component: string | null, options: AdviseOptions): Asked {
  const facts = usage.facts.length > 0 ? usage.facts : usage.components.map(unknown);
  const { settings, books } = chosenBooks(options, usage.settings ?? DEFAULT_ADVISOR);
  const { seed, freeTier, without, sloP99 } = options;
  const units = chosen(facts, component);
  const arrivals = usage.components.reduce((sum, { traffic }) => sum + traffic.arrivedAtMs.length, 0);
  const detail = detailOf(units.length, arrivals);
  const requests = units.map((one) =>
    ownRequest(usage, sloP99 === undefined ? one : { ...one, objective: { p99Ms: sloP99 } }, {
      ...{ settings, books, seed, samples: SAMPLES, detail },
      freeTier: freeTier === true,
      without: without ?? [],
      mayBeNew: true,
    }),
  );
  return { app: usage.app, requests, notes: lateNotes(requests, usage) };
}

/** Of units whose window is shorter than the others': see `firstSeenMs`. */
function lateNotes(requests: readonly AdviceRequest[], { components }: OwnUsage): string[] {
  const seenMs = Math.min(...components.flatMap(({ days }) => days.map(({ fromMs }) => fromMs)));
  return requests.flatMap(({ facts, traffic: { traffic } }) =>
    traffic.fromMs - seenMs < MINUTE_MS
      ? []
      : [
          `${facts.unit} was first seen ${new Date(traffic.fromMs).toISOString().slice(0, 16)}Z, later than others: only what it did since then counts.`,
        ],
  );
}

async function ofTrace(
  component: string | null,
  options: AdviseOptions,
  paths: readonly string[],
  onProgress: (what: string, share: number) => void,
): Promise<Asked> {
  const { p50Ms, p99Ms } = options.duration ?? DEFAULT_DURATION;
  const { settings, books } = chosenBooks(options, DEFAULT_ADVISOR);
  const trace = await importTrace(paths, {
    seed: options.seed,
    durations: {
      distribution: logNormalOf(p50Ms, p99Ms),
      text: `p50 ${formatDuration(p50Ms)}, p99 ${formatDuration(p99Ms)}`,
    },
    pathSegments: 0,
    format: options.format ?? null,
    strict: false,
    onProgress: (done, total) => onProgress('Reading', total === 0 ? 0 : done / total),
  });
  const all = trace.functions.toSorted((a, b) => b.arrivals - a.arrivals);
  const found = all.filter(({ name }) => component === null || name === component);
  if (found.length === 0)
    throw notThere(
      component!,
      all.map(({ name }) => name),
    );
  const shown = found.slice(0, MOST_TRACED);
  const arrivals = shown.reduce((sum, one) => sum + one.arrivals, 0);
  const detail = detailOf(shown.length, arrivals);
  const requests = shown.map((one): AdviceRequest => ({
    facts: tracedFacts(one.name, {
      memoryBytes: options.memory ?? one.memoryBytes ?? TRACED_MEMORY_BYTES,
      concurrency: 1,
      p99Ms: options.sloP99 ?? null,
      startsMs: trace.startsMs,
    }),
    source: 'trace',
    exists: false,
    traffic: {
      kind: 'arrivals',
      traffic: one.traffic({ span: trace.span, seed: options.seed, cpuShare: options.cpu ?? 1 }),
    },
    measured: [],
    gapsMs: 0,
    ...{ settings, books, seed: options.seed, samples: SAMPLES, detail },
    freeTier: options.freeTier === true,
    without: options.without ?? [],
    doubt: null,
  }));
  const left = found.length - shown.length;
  return {
    app: null,
    requests,
    notes: [
      ...trace.notes,
      ...(trace.badRows > 0
        ? [
            `${trace.badRows.toLocaleString('en-GB')} bad rows were left out; \`fulcrum simulate\` shows them.`,
          ]
        : []),
      ...(left > 0
        ? [
            `The ${MOST_TRACED} with the most arrivals are shown, of ${found.length.toLocaleString('en-GB')}. Name another to ask for it.`,
          ]
        : []),
    ],
  };
}

/** Curves and flips ask again and again what would be if: a line among others shows none of it. */
function detailOf(units: number, arrivals: number): AdviceRequest['detail'] {
  if (units === 1) return 'whole';
  return arrivals <= MOST_REASONED ? 'reasons' : 'verdict';
}

function chosen(facts: readonly UnitFacts[], component: string | null): readonly UnitFacts[] {
  if (component === null) return facts;
  const found = facts.filter(({ unit }) => unit === component);
  if (found.length > 0) return found;
  const group = facts.find(({ members }) => members.includes(component));
  if (group === undefined)
    throw notThere(
      component,
      facts.map(({ unit }) => unit),
    );
  throw new FulcrumError(
    'bad-request',
    `'${component}' has no mode of its own: it is in the group '${group.unit}' (${group.members.join(', ')}), whose members share their processes. Ask for the group: \`fulcrum advise ${group.unit}\`.`,
  );
}

function notThere(component: string, names: readonly string[]): FulcrumError {
  const near = nearest(component, names);
  const hint = near === null ? '' : ` Did you mean '${near}'?`;
  return new FulcrumError('not-found', `There is no component '${component}' with instances.${hint}`);
}

/** Of usage that was written down without what was known of its components: it runs as it did on its last day. */
function unknown({ name, days }: OwnComponent): UnitFacts {
  const facts = tracedFacts(name, {
    ...{ memoryBytes: TRACED_MEMORY_BYTES, concurrency: 1, p99Ms: null, startsMs: [] },
  });
  const mode = days.at(-1)?.mode ?? facts.mode;
  return { ...facts, mode, modeSetting: mode };
}
