import { setTimeout as wait } from 'node:timers/promises';
import { TAKERS } from './delivery-app.ts';
import type { DeliveryModel, Planned } from './delivery-model.ts';

export interface PublishersOptions {
  readonly model: DeliveryModel;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Of the app; another after each restart. */
  readonly url: () => string;
  readonly count: number;
}

interface Answer {
  readonly id?: string;
  readonly error?: string;
}

const PUBLISHERS = 4;
/** Each publisher has its own, so that it knows in which order it has published those of a key. */
const KEYS_EACH = 3;
const AGAIN_AFTER_MS = 30;

/**
 * Publishes random events until there are enough, whatever becomes of the server meanwhile. What has a `dedupe` is published until it is
 * accepted, and some of it once more after that; of the rest, what fails may be kept or not.
 */
export class Publishers {
  readonly #o: PublishersOptions;
  readonly #waiting = new Set<{ readonly count: number; readonly met: () => void }>();
  readonly #over: Promise<unknown>;
  #next = 0;
  #stopped = false;
  #accepted = 0;
  /** How many answers said that an event is kept already. */
  duplicates = 0;

  constructor(o: PublishersOptions) {
    this.#o = o;
    this.#over = Promise.all(Array.from({ length: PUBLISHERS }, (_, i) => this.#publish(i)));
  }

  /** Resolves when all have been published. */
  get over(): Promise<unknown> {
    return this.#over;
  }

  /** Where the test has failed: nothing more is published. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#over;
  }

  /** Resolves when so many have been accepted, or all. */
  accepted(count: number): Promise<unknown> {
    const met = new Promise<void>((resolve) => this.#waiting.add({ count, met: resolve }));
    this.#look();
    return Promise.race([met, this.#over]);
  }

  async #publish(publisher: number): Promise<void> {
    const { random, model } = this.#o;
    while (!this.#stopped && this.#next < this.#o.count) {
      const inOrder = random() < 0.5;
      const key = inOrder ? `k-${publisher}-${Math.floor(random() * KEYS_EACH)}` : null;
      const events = Array.from({ length: 1 + Math.floor(random() * 8) }, () => this.#plan(key));
      for (const event of events) model.begins(event, Date.now());
      let left = events;
      while (!this.#stopped && left.length > 0) {
        const answers = await this.#send(left, inOrder);
        left = left.filter((event, i) => !this.#heard(event, answers[i]));
        // What nobody knows about would be published twice.
        if (!inOrder) left = left.filter(({ dedupe }) => dedupe !== null);
        if (left.length > 0) await wait(AGAIN_AFTER_MS);
      }
      const again = events.filter(({ dedupe }) => dedupe !== null && random() < 0.1);
      if (again.length === 0) continue;
      for (const [i, answer] of (await this.#send(again, true)).entries()) {
        if (answer.id === undefined) break;
        this.duplicates += 1;
        model.accepted(again[i]!.n, answer.id);
      }
    }
  }

  #plan(key: string | null): Planned {
    const { random } = this.#o;
    const n = this.#next++;
    const types = Object.keys(TAKERS);
    const type = types[Math.floor(random() * types.length)]!;
    const poison = random() < 0.01;
    return {
      n,
      type,
      takers: TAKERS[type]!,
      key,
      dedupe: key !== null || random() < 0.5 ? `d-${n}` : null,
      delayMs: key === null && random() < 0.1 ? 1 + Math.floor(random() * 400) : 0,
      poison,
      again: !poison && random() < 0.03 ? 1 + Math.floor(random() * 2) : 0,
      ackAtOnce: random() < 0.5,
    };
  }

  /** One answer for each, or fewer where it broke off. */
  async #send(planned: readonly Planned[], inOrder: boolean): Promise<readonly Answer[]> {
    const { random } = this.#o;
    const events = planned.map(({ n, type, key, dedupe, delayMs, poison, again, ackAtOnce }) => ({
      type,
      data: { n, poison, again, ackAtOnce, pauseMs: random() < 0.2 ? Math.floor(random() * 10) : 0 },
      options: { ...(key === null ? {} : { key }), ...(dedupe === null ? {} : { dedupe }), delay: delayMs },
    }));
    try {
      const answer = await fetch(this.#o.url(), {
        method: 'POST',
        body: JSON.stringify({ events, inOrder }),
        signal: AbortSignal.timeout(30_000),
      });
      return answer.ok ? ((await answer.json()) as Answer[]) : [];
    } catch {
      return [];
    }
  }

  /** Whether it is accepted. */
  #heard({ n }: Planned, answer: Answer | undefined): boolean {
    if (answer?.id === undefined) return false;
    this.#o.model.accepted(n, answer.id);
    this.#accepted += 1;
    this.#look();
    return true;
  }

  #look(): void {
    for (const waiting of this.#waiting) {
      if (this.#accepted < waiting.count) continue;
      this.#waiting.delete(waiting);
      waiting.met();
    }
  }
}
