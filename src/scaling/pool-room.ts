import type { BudgetAccount, BudgetHolder, Holding } from './budget-account.ts';
import type { MachineBudget } from './machine-budget.ts';
import type { ModeSettings } from './mode-settings.ts';
import type { PooledInstance } from './pooled-instance.ts';

/** A machine's budget as the components of one app use it. */
export interface AppBudget {
  readonly machine: MachineBudget;
  /** The app's id. */
  readonly app: string;
}

export interface PoolRoomOptions {
  readonly component: string;
  readonly settings: ModeSettings;
  readonly weight: number;
  readonly instances: () => readonly PooledInstance[];
  /** Whether a call is among what waits for an instance. */
  readonly callWaits: () => boolean;
  /** Takes no more work, and ends when what is in flight is done. */
  readonly end: (one: PooledInstance, reason: string) => void;
  /** One that was ready ends for others. */
  readonly gave: () => void;
  /** What could not be started is to be looked at again. */
  readonly roomCame: () => void;
}

/** The dealings of one pool with the machine's budget: what it may start, and what it has to give back. */
export class PoolRoom implements BudgetHolder {
  readonly #o: PoolRoomOptions;
  readonly #account: BudgetAccount;
  readonly #starting = new Set<PooledInstance>();
  /** Those that end for others, until they are gone. */
  readonly #given = new Set<PooledInstance>();
  /** How many are to end when their present work does, and why. */
  #owes = 0;
  #reason = '';
  readonly #concurrency: number;
  readonly #machine: MachineBudget;
  /** Starts that wait for room. */
  #short = 0;
  /** Instances that were ready and ended for others. */
  #gaveBack = 0;

  constructor({ machine, app }: AppBudget, o: PoolRoomOptions) {
    this.#o = o;
    this.#machine = machine;
    const { mode, settings } = o.settings;
    this.#concurrency =
      o.settings.mode === 'function' && o.settings.settings.fresh ? 1 : settings.concurrency;
    this.#account = machine.open({
      app,
      component: o.component,
      mode,
      bytes: settings.memoryBytes,
      weight: o.weight,
      minimum: mode === 'service' ? settings.minReplicas : 0,
      holder: this,
    });
  }

  get short(): number {
    return this.#short;
  }

  get gaveBack(): number {
    return this.#gaveBack;
  }

  /** It waits for room, and not even one instance fits beside what is kept for services. */
  get isHopeless(): boolean {
    const { mode, bytes } = this.#account.o;
    const isEmpty = this.#short > 0 && this.#o.instances().length === 0;
    return isEmpty && mode === 'function' && bytes > this.#machine.lastingBytes;
  }

  /**
   * Of the starts that are wanted, those that there is room for. The others wait for it.
   * @param urgent somebody waits for them: others may have to make room.
   */
  admit(starts: readonly string[], urgent: boolean): readonly string[] {
    const admitted = starts.length === 0 ? starts : starts.slice(0, this.#account.room);
    this.#short = urgent ? starts.length - admitted.length : 0;
    return admitted;
  }

  /** What was admitted has been started. @param ended whether some of its instances have been told to end. */
  settle(ended: boolean): void {
    if (ended) this.#account.moved = true;
    this.#account.settle(this.#short);
  }

  /** Before its process begins. */
  reserve(one: PooledInstance): void {
    this.#account.reserve();
    this.#starting.add(one);
  }

  /** It is ready, or its start is over otherwise. */
  started(one: PooledInstance): void {
    if (this.#starting.delete(one)) this.#account.started();
  }

  /** Its process is gone. */
  ended(one: PooledInstance): void {
    this.started(one);
    this.#given.delete(one);
    this.#account.release();
  }

  /** Its work is over: whether it has to go, for whom it was asked for before. */
  released(one: PooledInstance): void {
    if (this.#owes > 0 && one.inFlight === 0 && one.state === 'ready') this.#give(one);
  }

  /** Another component has called it and waits. */
  called(): void {
    this.#account.isCalled = true;
  }

  serve(): void {
    this.#account.serve();
  }

  leave(): void {
    this.#short = 0;
    this.#owes = 0;
    this.#account.leave();
  }

  close(): void {
    this.#account.close();
  }

  holding(): Holding {
    let [live, busy, coming, calling] = [0, 0, 0, 0];
    const idleSinceMs: number[] = [];
    for (const one of this.#o.instances()) {
      const { state } = one;
      if (state === 'ending' || this.#given.has(one)) coming++;
      if (state !== 'starting' && state !== 'ready') continue;
      live++;
      if (state === 'starting') continue;
      if (one.inFlight === 0) {
        idleSinceMs.push(one.idleSinceMs);
        continue;
      }
      busy++;
      if (one.instance!.calling >= one.inFlight) calling++;
    }
    const callWaits = this.#o.callWaits();
    return { live, busy, coming, calling, callWaits, idleSinceMs: idleSinceMs.sort((a, b) => a - b) };
  }

  giveBack(count: number, reason: string): void {
    this.#owes = count;
    this.#reason = reason;
    if (count === 0) return;
    for (const one of this.#idle()) if (this.#owes > 0) this.#give(one);
    if (this.#concurrency === 1) return;
    // With several at a time one may never be without work: it takes no more from now on. With one, whichever is done first goes.
    const busy = this.#ready().sort((a, b) => a.inFlight - b.inFlight);
    for (const one of busy) if (this.#owes > 0) this.#give(one);
  }

  endIdle(count: number, reason: string): void {
    for (const one of this.#idle().slice(0, count)) this.#end(one, reason);
  }

  roomCame(): void {
    this.#o.roomCame();
  }

  noRoom(): void {
    // Those who wait are to hear of it.
    if (this.isHopeless) return this.#o.roomCame();
    // There is none for the successor of a replica that fails its health checks: it goes before that comes, and makes it.
    const failing = this.#ready().find((one) => one.failing !== null);
    if (failing !== undefined)
      this.#o.end(failing, `${failing.failing}; there is no room for another beside it`);
  }

  #give(one: PooledInstance): void {
    this.#owes--;
    this.#given.add(one);
    this.#end(one, this.#reason);
  }

  #end(one: PooledInstance, reason: string): void {
    this.#gaveBack++;
    this.#o.end(one, reason);
    this.#o.gave();
  }

  #ready(): PooledInstance[] {
    return this.#o.instances().filter((one) => one.state === 'ready');
  }

  /** The longest first. */
  #idle(): PooledInstance[] {
    return this.#ready()
      .filter((one) => one.inFlight === 0)
      .sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }
}
