import { OpenBlock } from '../../meter/arrival-block.ts';
import { Sketch } from '../../meter/sketch.ts';
import type { UnitFacts } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';
import type { Outcome } from '../../model/invocation.ts';
import type { InstancesLine, MinuteLine, UsageLine } from '../../model/usage-export.ts';
import { EPOCH_MS, functionModel, serviceModel } from './traffic.ts';

const MINUTE_MS = 60_000;
const MEMORY_BYTES = 128 * 1024 ** 2;

/** An invocation as the meter would have counted it. */
export interface Ran {
  readonly component?: string;
  readonly mode?: Mode;
  readonly outcome?: Outcome;
  /** From {@link EPOCH_MS}. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly cpuMs?: number;
  /** Of a cold start; 0: it was none. */
  readonly startMs?: number;
  /** The log of arrivals has it; true. */
  readonly logged?: boolean;
}

/** Facts of a component, or of a group, that nothing is known of but its settings. */
export function unitFacts(o: Partial<UnitFacts> = {}): UnitFacts {
  const unit = o.unit ?? 'orders';
  return {
    unit,
    members: [unit],
    kind: 'module',
    modeSetting: 'function',
    mode: 'function',
    modeSinceMs: EPOCH_MS,
    function: functionModel({ keepAliveMs: 1_000, maxQueued: 1_000, timeoutMs: 30_000 }).settings,
    service: serviceModel().settings,
    objective: { p99Ms: null },
    triggers: { routes: 1, events: [], schedules: [], callers: [] },
    sockets: null,
    storage: [],
    findings: null,
    deploys: { count: 0, days: 30 },
    calls: [],
    startsMs: { function: [], service: [] },
    ...o,
  };
}

/** Lines of an app's usage, as its server would send them of these invocations. */
export function usageLines(
  ran: readonly Ran[],
  o: {
    readonly spanMs: number;
    readonly facts?: readonly UnitFacts[];
    readonly more?: readonly UsageLine[];
  },
): UsageLine[] {
  const lines: UsageLine[] = [
    {
      kind: 'usage',
      format: 1,
      app: 'shop',
      environment: 'production',
      fromMs: EPOCH_MS,
      toMs: EPOCH_MS + o.spanMs,
      facts: o.facts ?? [],
      settings: null,
    },
    ...minuteLines(ran),
    ...(o.more ?? []),
    ...arrivalLines(ran),
  ];
  return [...lines, { kind: 'end', lines: lines.length }];
}

/** A minute of the instances of `unit`. */
export function instancesLine(o: Partial<InstancesLine> & Pick<InstancesLine, 'unit'>): InstancesLine {
  const { livedMs = MINUTE_MS } = o;
  return {
    kind: 'instances',
    revision: 'r1',
    mode: 'function',
    minuteMs: EPOCH_MS,
    spanMs: MINUTE_MS,
    started: 1,
    livedMs,
    heldByteMs: livedMs * MEMORY_BYTES,
    watchedMs: 0,
    usedByteMs: 0,
    cpuMs: 0,
    ...o,
  };
}

/** What a stream of a server's gives. */
export async function* streamOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function minuteLines(ran: readonly Ran[]): MinuteLine[] {
  const cells = Map.groupBy(
    ran,
    ({ component = 'orders', mode = 'function', outcome = 'ok', atMs }) =>
      `${component} ${Math.floor(atMs / MINUTE_MS)} ${mode} ${outcome}`,
  );
  return [...cells.values()].map((cell): MinuteLine => {
    const { component = 'orders', mode = 'function', outcome = 'ok', atMs } = cell[0]!;
    const sum = (of: (one: Ran) => number): number => cell.reduce((total, one) => total + of(one), 0);
    const duration = new Sketch();
    for (const { durationMs } of cell) duration.add(durationMs);
    const encoded = Buffer.from(duration.encode()).toString('base64');
    const tookMs = ({ startMs = 0, durationMs }: Ran): number =>
      outcome === 'refused' ? 0 : startMs + durationMs;
    const wholeMs = sum((one) => Math.ceil(tookMs(one)));
    return {
      kind: 'minute',
      component,
      revision: 'r1',
      mode,
      outcome,
      minuteMs: EPOCH_MS + Math.floor(atMs / MINUTE_MS) * MINUTE_MS,
      spanMs: MINUTE_MS,
      count: cell.length,
      cold: cell.filter(({ startMs = 0 }) => startMs > 0).length,
      internal: 0,
      waitedMs: 0,
      startMs: sum(({ startMs = 0 }) => startMs),
      durationMs: sum(({ durationMs }) => durationMs),
      billedMs: mode === 'function' ? wholeMs : 0,
      wholeMs,
      wholeByteMs: wholeMs * MEMORY_BYTES,
      hundredsMs: sum((one) => Math.ceil(tookMs(one) / 100) * 100),
      cpuMs: sum(({ cpuMs = 0 }) => cpuMs),
      bytesIn: 0,
      bytesOut: 0,
      latency: encoded,
      duration: encoded,
    };
  });
}

function arrivalLines(ran: readonly Ran[]): UsageLine[] {
  const logs = Map.groupBy(
    ran.filter(({ logged }) => logged !== false),
    ({ component = 'orders', mode = 'function' }) => `${component} ${mode}`,
  );
  return [...logs.values()].map((log): UsageLine => {
    const { component = 'orders', mode = 'function' } = log[0]!;
    const block = new OpenBlock('p', component, mode);
    for (const { atMs, durationMs, startMs = 0, outcome } of log) {
      block.add(EPOCH_MS + atMs, durationMs, startMs > 0, outcome === 'refused');
    }
    const { part: _, bytes, ...about } = block.snapshot();
    return { kind: 'arrivals', ...about, bytes: Buffer.from(bytes).toString('base64') };
  });
}
