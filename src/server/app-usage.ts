import type { AdvisorSettings, UnitFacts } from '../model/advice-facts.ts';
import type { AppSpec } from '../model/app.ts';
import type { UsageLine, UsageSpan } from '../model/usage-export.ts';
import type { UsagePage, UsageQuery, UsageStore } from '../model/usage-store.ts';
import type { UsageMeter } from '../meter/usage-meter.ts';

/** Rows of the store that are held at a time: some two milliseconds of its thread, which others wait for. */
const PAGE = 200;

export interface AppUsageOptions {
  readonly app: {
    readonly id: string;
    readonly meter: Pick<UsageMeter, 'flush'>;
    /** What serves. */
    readonly spec: Pick<AppSpec, 'environment' | 'advisor'> | null;
  };
  readonly usage: UsageStore;
  /** Of all units of what serves. */
  readonly facts: () => Promise<readonly UnitFacts[]>;
}

/** An app's usage as lines, page by page out of the store. */
export class AppUsage {
  readonly #o: AppUsageOptions;

  constructor(options: AppUsageOptions) {
    this.#o = options;
  }

  /** What the meter still holds is written first, so that it is up to now. Throws `store-failed`. */
  async *lines(span: UsageSpan): AsyncGenerator<UsageLine> {
    const { app, usage } = this.#o;
    await app.meter.flush();
    const { fromMs, toMs, component } = span;
    let lines = 0;
    const told = <T extends UsageLine>(line: T): T => {
      lines++;
      return line;
    };
    const all = <T>(ask: (query: UsageQuery) => Promise<UsagePage<T>>, of: string | null) =>
      paged(ask, { app: app.id, component: of, fromMs, toMs, limit: PAGE, after: null });

    const settings: AdvisorSettings | null = app.spec?.advisor ?? null;
    yield told({
      kind: 'usage',
      format: 1,
      app: app.id,
      environment: app.spec?.environment ?? '',
      fromMs,
      toMs,
      facts: span.facts ? await this.#o.facts() : [],
      settings,
    });
    for await (const { part: _, billedByteMs: __, latency, duration, ...counts } of all(
      (query) => usage.minutes(query),
      component,
    )) {
      yield told({ kind: 'minute', ...counts, latency: base64(latency), duration: base64(duration) });
    }
    // Instances are also a group's, which has a name of its own.
    for await (const { part: _, ...counts } of all((query) => usage.instances(query), null)) {
      yield told({ kind: 'instances', ...counts });
    }
    for await (const { part: _, ...counts } of all((query) => usage.joinedCalls(query), component)) {
      yield told({ kind: 'joined-calls', ...counts });
    }
    // One that grew between two pages has moved back in the order and comes again.
    const seen = new Set<string>();
    for await (const { part, bytes, ...block } of all((query) => usage.arrivals(query), component)) {
      if (seen.has(part)) continue;
      seen.add(part);
      yield told({ kind: 'arrivals', ...block, bytes: base64(bytes) });
    }
    for (const gap of await usage.gaps(app.id, fromMs, toMs)) yield told({ kind: 'gap', ...gap });
    yield { kind: 'end', lines };
  }
}

async function* paged<T>(
  ask: (query: UsageQuery) => Promise<UsagePage<T>>,
  first: UsageQuery,
): AsyncGenerator<T> {
  let after: string | null = null;
  do {
    const page: UsagePage<T> = await ask({ ...first, after });
    yield* page.items;
    after = page.next;
  } while (after !== null);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
