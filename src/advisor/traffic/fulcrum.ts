import { FulcrumError } from '../../base/errors.ts';
import { formatDuration } from '../../base/duration.ts';
import { modelsOfFacts } from '../own/models-of-facts.ts';
import { OwnReader } from '../own/own-reader.ts';
import type { OwnComponent, OwnUsage } from '../own/own-usage.ts';
import { usageOfUnit } from '../own/unit-usage.ts';
import { isFault, parseUsageLine } from '../own/usage-line.ts';
import type { UnitFacts } from '../../model/advice-facts.ts';
import type { Fault } from './bad-rows.ts';
import type { ReadTrace, Span, TracedFunction, TraceReader } from './traced.ts';

interface UsageFile {
  readonly name: string;
  readonly reader: OwnReader;
}

/**
 * An app's exported usage (`fulcrum usage --out`), each file an app or a stretch of its own. Where it has facts of its units, these are what is
 * replayed, a group as one, with their settings and starts; else its components.
 */
export class FulcrumReader implements TraceReader {
  readonly #files: UsageFile[] = [];

  begin(name: string): void {
    this.#files.push({ name, reader: new OwnReader() });
  }

  read(line: string): Fault | null {
    if (line.trim() === '') return null;
    const parsed = parseUsageLine(line.replace(/^\uFEFF/, ''));
    return isFault(parsed) ? parsed : this.#files.at(-1)!.reader.add(parsed);
  }

  /** Throws `trace-invalid` where a file was cut short: its half would mislead. */
  finish(): ReadTrace {
    const several = this.#files.length > 1;
    const functions: TracedFunction[] = [];
    const notes: string[] = [];
    for (const { name, reader } of this.#files) {
      if (!reader.ended) {
        throw new FulcrumError(
          'trace-invalid',
          `${name} was cut short: its last line, "end", is missing or bad.`,
        );
      }
      const usage = reader.finish();
      const units = unitsOf(usage);
      const span = spanOf(usage);
      for (const unit of units)
        functions.push(tracedUnit(unit, span, several ? `${name}/${unit.own.name}` : unit.own.name));
      notes.push(...gapNotes(usage), ...logNotes(units), ...factNotes(usage));
    }
    return { functions, notes, startsMs: [] };
  }
}

interface Unit {
  readonly own: OwnComponent;
  /** Null: nothing is known of it but its usage. */
  readonly facts: UnitFacts | null;
}

/** All that was used; what is in no unit any more by itself. */
function unitsOf(usage: OwnUsage): Unit[] {
  const held = new Set(usage.facts.flatMap(({ members }) => members));
  return [
    ...usage.facts.map((facts) => ({ own: usageOfUnit(usage, facts), facts })),
    ...usage.components.filter(({ name }) => !held.has(name)).map((own) => ({ own, facts: null })),
  ];
}

/** From when the app was first seen: before that nothing could come, and a month of it would be too cheap. */
function spanOf({ components, fromMs, toMs }: OwnUsage): Span {
  const seenMs = components.flatMap(({ days }) => days.map((day) => day.fromMs));
  const firstMs = seenMs.reduce((least, ms) => Math.min(least, ms), Infinity);
  return { fromMs: firstMs < toMs ? Math.max(fromMs, firstMs) : fromMs, toMs };
}

function tracedUnit({ own, facts }: Unit, span: Span, name: string): TracedFunction {
  const { traffic } = own;
  return {
    name,
    arrivals: traffic.arrivedAtMs.length,
    memoryBytes: memoryOf(own, facts),
    span,
    ...(facts === null ? {} : { models: modelsOfFacts(facts) }),
    traffic: (options) => ({ ...traffic, component: name, ...options.span }),
  };
}

/** As it is set in the mode that it runs in; else what was held on average. */
function memoryOf({ days }: OwnComponent, facts: UnitFacts | null): number | null {
  if (facts !== null) return facts[facts.mode].memoryBytes;
  const [byteMs, wholeMs] = days.reduce(([bytes, ms], day) => [bytes + day.byteMs, ms + day.wholeMs], [0, 0]);
  return wholeMs > 0 && byteMs > 0 ? Math.round(byteMs / wholeMs) : null;
}

function gapNotes({ gaps }: OwnUsage): string[] {
  if (gaps.length === 0) return [];
  const lostMs = gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const times = gaps.length === 1 ? 'once' : `${gaps.length} times`;
  return [`A server ended without a word ${times}: usage of up to ${formatDuration(lostMs)} may be missing.`];
}

function logNotes(units: readonly Unit[]): string[] {
  const all = units.reduce((sum, { own }) => sum + own.traffic.arrivedAtMs.length, 0);
  const logged = units.reduce((sum, { own }) => sum + own.logged * own.traffic.arrivedAtMs.length, 0);
  const placed = Math.round(all - logged);
  if (placed === 0) return [];
  const share = Math.max(1, Math.round((placed / all) * 100));
  return [`Of ${share} % of the arrivals only their minute is known any more: placed within it at random.`];
}

function factNotes({ facts }: OwnUsage): string[] {
  return facts.length > 0
    ? []
    : [
        'Settings are not in the export: a replay with those of the app needs `fulcrum usage` of a running one.',
      ];
}
