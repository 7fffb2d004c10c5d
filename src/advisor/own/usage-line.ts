import type { UsageLine } from '../../model/usage-export.ts';
import type { Fault } from '../traffic/bad-rows.ts';

/** What a field of a line must be. */
interface Rule {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}

const name: Rule = { expected: 'a name', holds: (value) => typeof value === 'string' && value !== '' };
const text: Rule = { expected: 'a text', holds: (value) => typeof value === 'string' };
const mode: Rule = {
  expected: '"function" or "service"',
  holds: (value) => value === 'function' || value === 'service',
};
const amount: Rule = {
  expected: 'a number of at least 0',
  holds: (value) => typeof value === 'number' && value >= 0 && value < Infinity,
};
const count: Rule = {
  expected: 'a whole number of at least 0',
  holds: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
/** The first and the last moment that a Date can hold lie further apart. */
const moment: Rule = { expected: 'a moment in ms since the epoch', holds: (value) => count.holds(value) };
const span: Rule = {
  expected: 'a number of ms above 0',
  holds: (value) => count.holds(value) && value !== 0,
};
const bytes: Rule = {
  expected: 'bytes in base64',
  holds: (value) => typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
};
const outcome: Rule = {
  expected: 'how an invocation ends, such as "ok" or "refused"',
  holds: (value) => OUTCOMES.has(value as string),
};
const OUTCOMES: ReadonlySet<string> = new Set([
  'ok',
  'handler-error',
  'timeout',
  'crashed',
  'cancelled',
  'refused',
  'bad-response',
]);

function orNull({ expected, holds }: Rule): Rule {
  return { expected: `${expected}, or null`, holds: (value) => value === null || holds(value) };
}

const FACTS: Rule = {
  expected: 'a list of units with their members and settings',
  holds: (value) => Array.isArray(value) && value.every(isFacts),
};
const SETTINGS: Rule = {
  expected: "the advisor's settings, or null",
  holds: (value) => value === null || (isObject(value) && Array.isArray(value['books'])),
};

/** By kind of line: each field that it must have. */
const RULES: Readonly<Record<UsageLine['kind'], Readonly<Record<string, Rule>>>> = {
  usage: { app: name, environment: text, fromMs: moment, toMs: moment, facts: FACTS, settings: SETTINGS },
  minute: {
    component: name,
    revision: text,
    mode,
    outcome,
    minuteMs: moment,
    spanMs: span,
    count,
    cold: count,
    internal: count,
    waitedMs: amount,
    startMs: amount,
    durationMs: amount,
    billedMs: amount,
    wholeMs: amount,
    wholeByteMs: amount,
    hundredsMs: orNull(amount),
    cpuMs: amount,
    bytesIn: amount,
    bytesOut: amount,
    latency: bytes,
    duration: bytes,
  },
  instances: {
    unit: name,
    revision: text,
    mode,
    minuteMs: moment,
    spanMs: span,
    started: count,
    livedMs: amount,
    heldByteMs: amount,
    watchedMs: amount,
    usedByteMs: amount,
    cpuMs: amount,
  },
  'joined-calls': {
    caller: name,
    callee: name,
    hourMs: moment,
    count,
    failed: count,
    durationMs: amount,
  },
  arrivals: { component: name, mode, firstMs: moment, lastMs: moment, count, bytes },
  gap: { fromMs: moment, toMs: moment },
  end: { lines: count },
};

/** Whether the line is the first of an app's exported usage. */
export function isUsageHead(line: string): boolean {
  return /^\s*\{\s*"kind"\s*:\s*"usage"\s*,/.test(line);
}

/** One line of an app's exported usage, checked field by field; or what is wrong with it. */
export function parseUsageLine(line: string): UsageLine | Fault {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return { found: line, expected: 'a JSON object on a line of its own' };
  }
  if (!isObject(row)) return { found: line, expected: 'a JSON object such as {"kind":"minute",…}' };
  const kind = row['kind'];
  if (typeof kind !== 'string' || !Object.hasOwn(RULES, kind)) {
    return {
      found: `kind: ${JSON.stringify(kind)}`,
      expected: `kind: one of ${Object.keys(RULES).join(', ')}`,
    };
  }
  if (kind === 'usage' && row['format'] !== 1) {
    return {
      found: `format: ${JSON.stringify(row['format'])}`,
      expected: 'format: 1; a newer Fulcrum may have written it',
    };
  }
  for (const [key, { expected, holds }] of Object.entries(RULES[kind as UsageLine['kind']])) {
    if (!holds(row[key])) {
      return { found: `${key}: ${JSON.stringify(row[key])}`, expected: `${key}: ${expected}` };
    }
  }
  return row as unknown as UsageLine;
}

export function isFault(parsed: UsageLine | Fault): parsed is Fault {
  return 'expected' in parsed;
}

function isFacts(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { unit, members, function: asFunction, service, startsMs } = value;
  return (
    name.holds(unit) &&
    Array.isArray(members) &&
    members.length > 0 &&
    members.every(name.holds) &&
    mode.holds(value['mode']) &&
    isObject(asFunction) &&
    isObject(service) &&
    isObject(startsMs) &&
    ['function', 'service'].every((each) => {
      const starts = startsMs[each];
      return Array.isArray(starts) && starts.every(amount.holds);
    })
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
