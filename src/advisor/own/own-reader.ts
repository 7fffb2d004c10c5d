import { FulcrumError } from '../../base/errors.ts';
import { UsedDays } from '../../meter/used.ts';
import type { InstancesLine, MinuteLine, UsageHead, UsageLine } from '../../model/usage-export.ts';
import type { JoinedCalls, UsageGap } from '../../model/usage-store.ts';
import type { Fault } from '../traffic/bad-rows.ts';
import { withBorrowedStarts } from './borrowed-starts.ts';
import { GroupShares } from './group-shares.ts';
import { MinuteCounts } from './minute-counts.ts';
import { OwnArrivals } from './own-arrivals.ts';
import type { OwnComponent, OwnUsage } from './own-usage.ts';

const DAY_MS = 86_400_000;

interface Gathered {
  readonly used: UsedDays;
  readonly counts: MinuteCounts;
  readonly arrivals: OwnArrivals;
}

/** Puts an app's exported usage together, line by line. Holds counts by the minute and 16 bytes for each arrival. */
export class OwnReader {
  #head: UsageHead | null = null;
  #ended = false;
  readonly #components = new Map<string, Gathered>();
  readonly #shares = new GroupShares();
  /** By unit, mode and day: whose they were is known once all minutes are. */
  readonly #instances = new Map<string, InstancesLine>();
  readonly #joinedCalls: Omit<JoinedCalls, 'part'>[] = [];
  readonly #gaps: UsageGap[] = [];
  readonly #members: ReadonlyMap<string, readonly string[]>;

  /** @param members of units, where the lines do not say what they are: facts were not asked for. */
  constructor(members: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#members = members;
  }

  /** Whether the last line has come. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * What is wrong with where the line stands, or with a sketch or block in it; null where it was taken. Throws `trace-invalid` where there are more
   * arrivals than can be held.
   */
  add(line: UsageLine): Fault | null {
    if (this.#ended)
      return { found: `a line "${line.kind}" behind the last`, expected: 'nothing behind "end"' };
    if (line.kind === 'usage') return this.#begin(line);
    if (this.#head === null) return { found: `a line "${line.kind}"`, expected: '"usage" as the first line' };
    switch (line.kind) {
      case 'minute':
        return undamaged(`minute of "${line.component}"`, () => this.#addMinute(line));
      case 'arrivals':
        return undamaged(`arrivals of "${line.component}"`, () =>
          this.#of(line.component).arrivals.add(line),
        );
      case 'instances':
        this.#addInstances(line);
        return null;
      case 'joined-calls': {
        const { kind: _, ...calls } = line;
        this.#joinedCalls.push(calls);
        return null;
      }
      case 'gap':
        this.#gaps.push({ fromMs: line.fromMs, toMs: line.toMs });
        return null;
      case 'end':
        this.#ended = true;
        return null;
    }
  }

  /** All of it; to be asked for once. Throws `trace-invalid` where the last line has not come. */
  finish(): OwnUsage {
    const head = this.#head;
    if (head === null || !this.#ended) {
      throw new FulcrumError(
        'trace-invalid',
        'The usage was cut short: its last line, "end", is missing. Get it again.',
      );
    }
    this.#giveInstances(head);
    const { app, environment, fromMs, toMs, facts, settings } = head;
    const components = [...this.#components]
      .map(([name, gathered]) => ownComponent(name, gathered, head))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      app,
      environment,
      fromMs,
      toMs,
      facts: withBorrowedStarts(facts),
      settings,
      components,
      joinedCalls: this.#joinedCalls,
      gaps: this.#gaps,
    };
  }

  #begin(head: UsageHead): Fault | null {
    if (this.#head !== null) return { found: 'a second line "usage"', expected: 'one, the first' };
    const { fromMs, toMs } = head;
    if (!(fromMs < toMs))
      return { found: `usage from ${fromMs} to ${toMs} ms`, expected: 'a beginning before its end' };
    this.#head = head;
    return null;
  }

  #addMinute(line: MinuteLine): void {
    const { used, counts } = this.#of(line.component);
    // First what may be damaged.
    counts.add(line);
    used.minute(line);
    this.#shares.add(line);
  }

  /** Sums of a day: of a minute each there would be millions in a season. */
  #addInstances(line: InstancesLine): void {
    const key = `${line.unit} ${line.mode} ${Math.floor(line.minuteMs / DAY_MS)}`;
    const day = this.#instances.get(key);
    this.#instances.set(key, day === undefined ? line : together(day, line));
  }

  #giveInstances(head: UsageHead): void {
    const members = new Map([
      ...this.#members,
      ...head.facts.map((facts) => [facts.unit, facts.members] as const),
    ]);
    for (const line of this.#instances.values()) {
      // One that is not there any more, or was a group once: what it held is its own.
      for (const { component, share } of this.#shares.of(line, members.get(line.unit) ?? [line.unit])) {
        this.#of(component).used.instances(line, share);
      }
    }
    this.#instances.clear();
  }

  #of(name: string): Gathered {
    let gathered = this.#components.get(name);
    if (gathered === undefined) {
      const { fromMs, toMs } = this.#head!;
      gathered = {
        used: new UsedDays(name),
        counts: new MinuteCounts(),
        arrivals: new OwnArrivals(name, { fromMs, toMs }),
      };
      this.#components.set(name, gathered);
    }
    return gathered;
  }
}

/** Both, as if they were one minute as long as from the first to the last. */
function together(one: InstancesLine, other: InstancesLine): InstancesLine {
  const minuteMs = Math.min(one.minuteMs, other.minuteMs);
  return {
    ...one,
    minuteMs,
    spanMs: Math.max(one.minuteMs + one.spanMs, other.minuteMs + other.spanMs) - minuteMs,
    started: one.started + other.started,
    livedMs: one.livedMs + other.livedMs,
    heldByteMs: one.heldByteMs + other.heldByteMs,
    watchedMs: one.watchedMs + other.watchedMs,
    usedByteMs: one.usedByteMs + other.usedByteMs,
    cpuMs: one.cpuMs + other.cpuMs,
  };
}

function undamaged(found: string, add: () => void): Fault | null {
  try {
    add();
    return null;
  } catch (error) {
    if (!(error instanceof FulcrumError) || error.code !== 'store-failed') throw error;
    return { found, expected: 'one that can be read: it is damaged, or a newer Fulcrum has written it' };
  }
}

function ownComponent(
  name: string,
  { used, counts, arrivals }: Gathered,
  { fromMs, toMs }: UsageHead,
): OwnComponent {
  const logged = counts.count === 0 ? 1 : Math.min(1, arrivals.count / counts.count);
  return { name, days: used.days(fromMs, toMs), traffic: arrivals.traffic(counts), logged };
}
