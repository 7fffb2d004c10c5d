import type { Clock } from '../base/clock.ts';
import type { Mode } from '../model/app.ts';
import type { Runtime, StartOrder } from '../model/instance.ts';
import { membersOf } from '../model/units.ts';

/** Of each unit and mode: the latest. */
const MOST_STARTS = 256;
/** Units, those of releases that are gone included; of more, what has not started for longest is forgotten. */
const MOST_UNITS = 1_000;

interface UnitStarts {
  /** In ms, the oldest first. */
  readonly ms: Record<Mode, number[]>;
  /** The mode that was started last, and since when without another between. */
  mode: Mode;
  modeSinceMs: number;
  readonly sockets: Map<string, boolean>;
}

/** How fast instances of an app's units start, and what those that started said of themselves. In memory: a server begins anew. */
export class StartBook {
  readonly #clock: Clock;
  readonly #sinceMs: number;
  readonly #units = new Map<string, UnitStarts>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
  }

  /** `runtime`, whose starts are written down from now on. */
  watched(runtime: Runtime): Runtime {
    return {
      engine: runtime.engine,
      start: async (order) => {
        const begunMs = this.#clock.monotonicMs();
        const instance = await runtime.start(order);
        const handlers = membersOf(order.revision.spec).map(
          (name) => [name, instance.handlersOf(name)?.websocket ?? null] as const,
        );
        this.#record(order, this.#clock.monotonicMs() - begunMs, handlers);
        return instance;
      },
      keepZygote: (revision, home, keepAliveMs) => runtime.keepZygote(revision, home, keepAliveMs),
      forget: (home) => runtime.forget(home),
      close: () => runtime.close(),
    };
  }

  /** Of the latest {@link MOST_STARTS} starts, in ms, the oldest first. */
  startsMs(unit: string): Readonly<Record<Mode, readonly number[]>> {
    const { ms } = this.#units.get(unit) ?? {};
    return { function: [...(ms?.function ?? [])], service: [...(ms?.service ?? [])] };
  }

  /** Since when `unit` runs as `mode`, in ms since the epoch: since this server began, where it has seen no other. */
  modeSinceMs(unit: string, mode: Mode): number {
    const starts = this.#units.get(unit);
    return starts?.mode === mode ? starts.modeSinceMs : this.#sinceMs;
  }

  /** Whether a component's module takes WebSockets; null where no instance of it has told, as no command does. */
  takesSockets(unit: string, component: string): boolean | null {
    return this.#units.get(unit)?.sockets.get(component) ?? null;
  }

  #record(
    { revision, mode }: StartOrder,
    tookMs: number,
    sockets: readonly (readonly [string, boolean | null])[],
  ): void {
    const unit = revision.spec.name;
    const known = this.#units.get(unit);
    const starts: UnitStarts = known ?? {
      ms: { function: [], service: [] },
      mode,
      modeSinceMs: this.#sinceMs,
      sockets: new Map(),
    };
    this.#units.delete(unit);
    this.#units.set(unit, starts);
    if (this.#units.size > MOST_UNITS) this.#units.delete(this.#units.keys().next().value!);
    starts.ms[mode].push(tookMs);
    if (starts.ms[mode].length > MOST_STARTS) starts.ms[mode].shift();
    if (starts.mode !== mode) {
      starts.mode = mode;
      starts.modeSinceMs = this.#clock.nowMs();
    }
    for (const [name, takes] of sockets) if (takes !== null) starts.sockets.set(name, takes);
  }
}
