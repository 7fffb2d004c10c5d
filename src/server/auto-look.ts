/** What one unit's last window was like: its usage out of the store, replayed and priced, as `auto` decides by it. */
import type { AutoOutlook, AutoWindow } from '../advisor/auto/auto-window.ts';
import type { UnitAnswer, UnitQuestion } from '../advisor/auto/unit-answer.ts';
import { booksOf } from '../advisor/advice/books-of.ts';
import { Sketch } from '../meter/sketch.ts';
import type { UsageHistory } from '../meter/usage-history.ts';
import type { UnitFacts } from '../model/advice-facts.ts';
import type { AdvisorSettings } from '../model/advisor-settings.ts';
import type { Advice, Band } from '../model/advice.ts';
import type { Mode } from '../model/app.ts';
import type { PriceBook } from '../model/price-book.ts';
import type { UsageLine, UsageSpan } from '../model/usage-export.ts';

/** The 99th percentile of fewer is the slowest of them, by chance. */
const LEAST_FOR_P99 = 100;
/** Of a window: where usage may be missing in more of it, it says nothing. */
const MOST_MISSING = 0.1;
const UNKNOWN: AutoOutlook = { perMonth: null, p99Ms: null, meetsObjective: 1, obstacle: null };
const UNREAD = 'Its code could not be looked at, so what would break is not known.';
const UNUSED = {
  measured: { perMonth: null, p99Ms: null },
  modes: { function: UNKNOWN, service: UNKNOWN },
  saving: null,
  currency: 'USD',
} as const;

/** Usage that was read, and can be asked about. */
export interface ReadUsage {
  /** Rejects with what `answerOf` throws. */
  ask(question: UnitQuestion): Promise<UnitAnswer>;
  close(): Promise<void>;
}

/** Rejects with `store-failed`, and with `trace-invalid` where there is more than can be held. */
type ReadLines = (
  lines: AsyncIterable<UsageLine>,
  members: ReadonlyMap<string, readonly string[]>,
  signal: AbortSignal,
) => Promise<ReadUsage>;

export interface AutoSight {
  readonly lines: (span: UsageSpan) => AsyncIterable<UsageLine>;
  /** Of each unit. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  readonly history: Pick<UsageHistory, 'minutes'>;
  readonly read: ReadLines;
  /** Those that the settings name; a test has its own. */
  readonly books?: (settings: AdvisorSettings) => readonly PriceBook[];
  readonly signal: AbortSignal;
}

/** Looks at the units of one app in one round: what two of them need is read once. To be closed. */
export class AutoLook {
  readonly #o: AutoSight;
  /** One at a time, for it is all that came to the app. */
  #read: { readonly key: string; readonly usage: Promise<ReadUsage> } | null = null;

  constructor(options: AutoSight) {
    this.#o = options;
  }

  /** @param fromMs with `toMs` what is new, by whole minutes. Rejects with `store-failed`, and with what the advisor throws. */
  async window(
    facts: UnitFacts,
    settings: AdvisorSettings,
    fromMs: number,
    toMs: number,
  ): Promise<AutoWindow> {
    const usage = await this.#usage(fromMs, toMs);
    const books = (this.#o.books ?? booksOf)(settings);
    const { executed, gapsMs, perMonth, advice } = await usage
      .ask({ facts, settings, books })
      .catch(async (error: unknown) => {
        // What broke by it is of no use to the next.
        await this.close();
        throw error;
      });
    const about = { fromMs, toMs, mode: facts.mode, executed, objectiveP99Ms: facts.objective.p99Ms };
    // Nor can anything be said by a part of what came.
    if (advice === null || gapsMs > MOST_MISSING * (toMs - fromMs)) return { ...about, ...UNUSED };
    const outlook = (mode: Mode): AutoOutlook => outlookOf(mode, advice, facts);
    return {
      ...about,
      measured: { perMonth, p99Ms: await this.#p99(facts, fromMs, toMs) },
      modes: { function: outlook('function'), service: outlook('service') },
      saving: savingOf(facts.mode, advice),
      currency: advice.evidence.currency,
    };
  }

  async close(): Promise<void> {
    const read = this.#read;
    this.#read = null;
    // That it could not be read has been told.
    await read?.usage.then((usage) => usage.close()).catch(() => undefined);
  }

  async #usage(fromMs: number, toMs: number): Promise<ReadUsage> {
    const key = `${fromMs} ${toMs}`;
    if (this.#read?.key !== key) {
      await this.close();
      const { lines, members, read, signal } = this.#o;
      const span = { fromMs, toMs, component: null, facts: false };
      this.#read = { key, usage: read(lines(span), members, signal) };
    }
    return await this.#read.usage;
  }

  /** Waiting included, of what its present mode has worked on; null where that is too little to say. */
  async #p99({ members, mode }: UnitFacts, fromMs: number, toMs: number): Promise<number | null> {
    const all = new Sketch();
    for (const component of members) {
      for await (const minute of this.#o.history.minutes({ component, fromMs, toMs })) {
        if (minute.mode === mode && minute.outcome !== 'refused') all.merge(minute.latency);
      }
    }
    return all.count < LEAST_FOR_P99 ? null : all.quantile(0.99);
  }
}

function outlookOf(mode: Mode, { modes, obstacles }: Advice, facts: UnitFacts): AutoOutlook {
  const { perMonth, p99Ms, meetsObjective } = modes[mode];
  const impossible = obstacles.find((one) => one.mode === mode && one.severity === 'impossible');
  // What refuses a switch by hand refuses this one.
  const finding = facts.findings?.[mode].find(({ severity }) => severity === 'warning');
  const place = finding === undefined || finding.file === null ? '' : `${finding.file}:${finding.line}: `;
  const obstacle = impossible?.text ?? (finding === undefined ? null : `${place}${finding.message}`);
  // Nobody is there to say that it is all the same.
  const unread = facts.findings === null ? UNREAD : null;
  return { perMonth, p99Ms, meetsObjective, obstacle: obstacle ?? unread };
}

/** What the other mode saves: by the same samples where there is a verdict, else by the bands, which are wider apart. */
function savingOf(mode: Mode, { verdict, modes }: Advice): Band | null {
  const other = mode === 'function' ? 'service' : 'function';
  if ((verdict.kind === 'switch' || verdict.kind === 'keep') && verdict.saves !== null) {
    const { low, mid, high } = verdict.saves;
    return verdict.mode === other ? { low, mid, high } : { low: -high, mid: -mid, high: -low };
  }
  const [present, instead] = [modes[mode].perMonth, modes[other].perMonth];
  if (present === null || instead === null) return null;
  return {
    low: present.low - instead.high,
    mid: present.mid - instead.mid,
    high: present.high - instead.low,
  };
}
