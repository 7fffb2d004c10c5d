/** An event that is to be published, and all that must come true of it. */
export interface Planned {
  /** Its number among all: by it the oracle knows it. */
  readonly n: number;
  readonly type: string;
  /** Who takes its type. */
  readonly takers: readonly string[];
  readonly key: string | null;
  readonly dedupe: string | null;
  readonly delayMs: number;
  /** Its handler never does it: it ends as a dead letter. */
  readonly poison: boolean;
  /** So often its handler asks for it again before it does it. */
  readonly again: number;
  /** It is acknowledged when it is done, and not when its batch is. */
  readonly ackAtOnce: boolean;
}

/** What is kept in the store at a moment: event and component. */
export interface Kept {
  readonly n: number;
  readonly component: string;
  readonly state: string;
  readonly attempt: number;
}

interface Delivered {
  /** How often its handler has done it. */
  told: number;
  /** How often it may have: once, and once more for each time that something was killed while it had it. */
  may: number;
  /** What of it was begun last, and by which batch. */
  batch: string;
  toldByBatch: boolean;
  /** Its acknowledgement is committed: a look at the store has not found it any more. */
  gone: boolean;
}

type Publication =
  /** Nobody knows: its publisher was killed, or told that it failed. It may come, and need not. */
  { readonly state: 'unsure' } | { readonly state: 'accepted'; readonly id: string };

/**
 * What is true of at-least-once delivery, held against what handlers say as they do it. It sees handlers, publishers' answers and what the store
 * holds; of how the server works it knows nothing. That an acknowledgement is committed is known by the store: what was there and is not found any more.
 * Of a look at the store, what holds is what was so when the look began.
 */
export class DeliveryModel {
  readonly violations: string[] = [];
  readonly #planned = new Map<number, Planned>();
  readonly #published = new Map<number, Publication & { atMs: number }>();
  readonly #delivered = new Map<string, Delivered>();
  /** By component and key: the latest that was done or tried. */
  readonly #latest = new Map<string, number>();
  /** Repeats that were allowed for, and were. */
  repeats = 0;

  /** It is published from now on (epoch ms), for the first time. */
  begins(event: Planned, nowMs: number): void {
    this.#planned.set(event.n, event);
    this.#published.set(event.n, { state: 'unsure', atMs: nowMs });
  }

  /** Its publisher has been told that it is kept. */
  accepted(n: number, id: string): void {
    const known = this.#published.get(n)!;
    if (known.state === 'accepted' && known.id !== id)
      this.#violated(`event ${n} was accepted twice, as ${known.id} and as ${id}`);
    this.#published.set(n, { state: 'accepted', id, atMs: known.atMs });
  }

  get acceptedCount(): number {
    return [...this.#published.values()].filter(({ state }) => state === 'accepted').length;
  }

  /** A handler has been given these. */
  batchBegan(component: string, batch: string, numbers: readonly number[], nowMs: number): void {
    if (new Set(numbers.map((n) => this.#planned.get(n)?.key ?? n)).size < numbers.length)
      this.#violated(`a batch of ${component} has two events of one key: ${numbers.join(', ')}`);
    for (const n of numbers) {
      const event = this.#planned.get(n);
      if (event === undefined) {
        this.#violated(`event ${n}, which nobody has published, came to ${component}`);
        continue;
      }
      if (!event.takers.includes(component))
        this.#violated(`event ${n} (${event.type}) came to ${component}`);
      if (nowMs < this.#published.get(n)!.atMs + event.delayMs)
        this.#violated(`event ${n} came before its delay of ${event.delayMs} ms had passed`);
      const delivered = this.#of(component, n);
      if (delivered.gone)
        this.#violated(`event ${n} came to ${component} after its acknowledgement was committed`);
      delivered.batch = batch;
      delivered.toldByBatch = false;
      this.#inOrder(component, event);
    }
  }

  /** A handler has done it, and is about to acknowledge it. */
  done(component: string, batch: string, n: number): void {
    const delivered = this.#of(component, n);
    if (this.#planned.get(n)?.poison === true) this.#violated(`poison ${n} was done by ${component}`);
    delivered.told += 1;
    if (delivered.batch === batch) delivered.toldByBatch = true;
    if (delivered.told > 1) this.repeats += 1;
    if (delivered.told > delivered.may)
      this.#violated(
        `event ${n} was done ${delivered.told} times by ${component}, of which ${delivered.may} can be told by what was killed`,
      );
  }

  /**
   * Something was killed; `kept` was looked up afterwards. What is there still and had been given to a handler may be done once more.
   * @param component whose handlers; null: everything. @param lateWords whether what was under way may still be told to have been done.
   */
  killed(component: string | null, kept: readonly Kept[], lateWords: boolean): void {
    for (const { n, component: of } of kept) {
      if (component !== null && of !== component) continue;
      const delivered = this.#delivered.get(keyOf(of, n));
      if (delivered === undefined) continue;
      const underWay = lateWords && !delivered.toldByBatch ? 1 : 0;
      delivered.may = Math.max(delivered.may, delivered.told + underWay + 1);
    }
  }

  /** What was known before a look at the store began; `looked` is to be told what it found. */
  beforeLook(): (kept: readonly Kept[]) => void {
    const known = [...this.#published].flatMap(([n, { state }]) => {
      const { takers } = this.#planned.get(n)!;
      return takers
        .filter((component) => state === 'accepted' || this.#delivered.has(keyOf(component, n)))
        .map((component) => ({ n, component }));
    });
    return (kept) => {
      const there = new Set(kept.map(({ n, component }) => keyOf(component, n)));
      for (const { n, component } of known) {
        if (there.has(keyOf(component, n))) continue;
        const delivered = this.#of(component, n);
        if (delivered.gone) continue;
        delivered.gone = true;
        if (delivered.told === 0)
          this.#violated(`event ${n} is lost: ${component} has never done it, and it is kept no more`);
      }
    };
  }

  /** When nothing is under way any more. */
  atEnd(kept: readonly Kept[]): void {
    this.beforeLook()(kept);
    for (const { n, component, state } of kept) {
      const event = this.#planned.get(n);
      if (state !== 'dead') this.#violated(`event ${n} for ${component} is ${state} still`);
      else if (event?.poison !== true)
        this.#violated(`event ${n} was given up for ${component}, and is no poison`);
    }
  }

  /** Of one key, each is done with before the next comes. Those that are delayed take their place when they are due. */
  #inOrder(component: string, event: Planned): void {
    if (event.key === null || event.delayMs > 0) return;
    const of = `${component} ${event.key}`;
    const latest = this.#latest.get(of) ?? -1;
    if (event.n < latest)
      this.#violated(`event ${event.n} of key ${event.key} came to ${component} behind ${latest}`);
    this.#latest.set(of, Math.max(latest, event.n));
  }

  #of(component: string, n: number): Delivered {
    const key = keyOf(component, n);
    let delivered = this.#delivered.get(key);
    if (delivered === undefined) {
      delivered = { told: 0, may: 1, batch: '', toldByBatch: false, gone: false };
      this.#delivered.set(key, delivered);
    }
    return delivered;
  }

  #violated(what: string): void {
    if (this.violations.length < 50) this.violations.push(what);
  }
}

function keyOf(component: string, n: number): string {
  return `${component} ${n}`;
}
