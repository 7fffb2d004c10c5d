import { availableParallelism } from 'node:os';
import type { Clock, Timer } from '../base/clock.ts';
import { Registry, type Registered } from '../base/registry.ts';
import type { Instance, InstanceEnded } from '../model/instance.ts';
import type { Mode } from '../model/app.ts';
import type { InstanceSink } from '../model/usage.ts';
import type { InstanceLife, LifePiece } from './instance-life.ts';

/** An instance, as what watches over its life sees it. */
export interface Living extends Registered {
  readonly revision: { readonly id: string; readonly spec: { readonly name: string } };
  readonly mode: Mode;
  /** What it may hold. */
  readonly memoryBytes: number;
  readonly life: InstanceLife;
  /** Its app's. */
  readonly sink: InstanceSink;
  /** Null while it starts. */
  readonly instance: Pick<Instance, 'measure'> | null;
}

/** Where the instances of one app are told, and who watches over those of all. */
export interface InstanceTelling {
  readonly watch: InstanceWatch;
  readonly sink: InstanceSink;
}

/** How often what lives is told: what a server that is killed has not told of its instances' lives is no more. */
const ROUND_MS = 10_000;
/**
 * How many are looked at in a round, of all apps together: one look costs the server up to a millisecond, so these take half a percent of a
 * processor however many instances there are. Of more each is looked at in turn; what it used meanwhile is told then.
 */
const MOST_LOOKS = 50;

/**
 * Tells what all instances of a server live: every ten seconds, and at their ends. What they hold and have used is looked at one after the
 * other after each round, for the next one to tell.
 */
export class InstanceWatch {
  readonly #clock: Clock;
  readonly #cores: number;
  readonly #living = new Registry<Living>();
  #timer: Timer | null = null;
  #looking = false;
  /** How many were looked at: whose turn is next. */
  #turn = 0;

  constructor(clock: Clock, cores: number = availableParallelism()) {
    this.#clock = clock;
    this.#cores = cores;
  }

  /** Its start was decided. */
  entered(one: Living): void {
    this.#living.add(one);
    this.#timer ??= this.#clock.every(ROUND_MS, () => this.#round());
  }

  /** It is no more, or has never become anything. */
  left(one: Living, end: InstanceEnded): void {
    if (one.registryPlace < 0) return;
    this.#living.delete(one);
    this.#tell(one, one.life.end(this.#clock.monotonicMs(), end.cpuMs, this.#cores));
    if (this.#living.size === 0) this.close();
  }

  /** Nothing is told any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #round(): void {
    const nowMs = this.#clock.monotonicMs();
    const all = this.#living.all();
    for (const one of all) this.#tell(one, one.life.piece(nowMs));
    if (!this.#looking) void this.#look(all);
  }

  /** One after the other: it must not be felt. Never rejects. */
  async #look(all: readonly Living[]): Promise<void> {
    this.#looking = true;
    try {
      for (let i = 0; i < Math.min(all.length, MOST_LOOKS); i++) {
        const one = all[this.#turn++ % all.length]!;
        if (one.registryPlace < 0) continue;
        const usage = await one.instance?.measure();
        if (usage) one.life.saw(usage);
      }
    } catch {
      // Another look comes in ten seconds.
    } finally {
      this.#looking = false;
    }
  }

  #tell({ revision, mode, memoryBytes, sink }: Living, piece: LifePiece): void {
    sink.record({
      unit: revision.spec.name,
      revision: revision.id,
      mode,
      memoryBytes,
      ...piece,
      fromMs: this.#clock.nowMs() - (this.#clock.monotonicMs() - piece.fromMs),
    });
  }
}
