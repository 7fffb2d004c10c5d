import type { Mode } from '../model/app.ts';

/** Whose room it is. */
export interface AccountOptions {
  /** The app's id. */
  readonly app: string;
  readonly component: string;
  readonly mode: Mode;
  /** What one instance may hold. */
  readonly bytes: number;
  /** Above 0. */
  readonly weight: number;
  /** Instances whose room is kept for it, whether they are there or not: a service's `minReplicas`. */
  readonly minimum: number;
  readonly holder: BudgetHolder;
}

/** What the budget asks of those who hold room. Implemented by each pool. */
export interface BudgetHolder {
  /** What it has, at this moment. */
  holding(): Holding;
  /**
   * It is to end so many of its instances: idle ones at once, others when their present work ends. Each call replaces the one before; 0
   * takes it back.
   * @param reason for people: `makes room for "b" (machine budget)`.
   */
  giveBack(count: number, reason: string): void;
  /** Ends so many of those that have nothing to do, whatever else it owes. */
  endIdle(count: number, reason: string): void;
  /** It waited for room, and there is some. */
  roomCame(): void;
  /** It waits for room that nobody has for it. */
  noRoom(): void;
}

export interface Holding {
  /** Instances that start or work, and are not on their way out. */
  readonly live: number;
  /** Since when those without work have had none, the longest first; monotonic. */
  readonly idleSinceMs: readonly number[];
  /** How many are ready and have work. */
  readonly busy: number;
  /** How many of those wait with all of their work for what they have called. */
  readonly calling: number;
  /** A call is among what waits for one that is free. */
  readonly callWaits: boolean;
  /** Instances that are about to be gone, by the budget's own wish or because they are being ended. */
  readonly coming: number;
}

/** What an account asks of the ledger it is in. Implemented by `MachineBudget`. */
export interface Ledger {
  room(account: BudgetAccount): number;
  reserve(account: BudgetAccount): void;
  started(account: BudgetAccount): void;
  release(account: BudgetAccount): void;
  settle(account: BudgetAccount, short: number): void;
  serve(account: BudgetAccount): void;
  leave(account: BudgetAccount): void;
  close(account: BudgetAccount): void;
}

/** The room of one pool's instances in a machine's budget: what it has, what is kept for it, what it waits for. */
export class BudgetAccount {
  readonly o: AccountOptions;
  /** Processes that may exist. */
  reserved = 0;
  minimum: number;
  /** How many it wants and may not start yet. */
  wants = 0;
  /** How many beyond its minimum it may start while others wait as well. */
  granted = 0;
  waitsSinceMs = 0;
  /** What it holds is not what it was when it last said what it wants. */
  moved = false;
  /** Function instances that are starting. */
  starting = 0;
  /** Others wait for it while they hold room themselves: other components call it. */
  isCalled = false;
  /** It does not only stand by to take another's place. */
  serves = false;
  readonly #ledger: Ledger;

  constructor(o: AccountOptions, ledger: Ledger) {
    this.o = o;
    this.minimum = o.minimum;
    this.#ledger = ledger;
  }

  /** Instances of its minimum that it does not have. */
  get kept(): number {
    return Math.max(0, this.minimum - this.reserved);
  }

  /** How many more instances may be started now. */
  get room(): number {
    return this.#ledger.room(this);
  }

  /** Takes the room of one instance, before its process begins. Throws `internal` where there is none: ask `room` before. */
  reserve(): void {
    this.#ledger.reserve(this);
  }

  /** One that was starting does so no more. */
  started(): void {
    this.#ledger.started(this);
  }

  /** A process is gone. */
  release(): void {
    this.#ledger.release(this);
  }

  /** Says how many more it wants than it was let start: every time it has looked, 0 included. */
  settle(short: number): void {
    this.#ledger.settle(this, short);
  }

  /** Work comes to it from now on. */
  serve(): void {
    this.#ledger.serve(this);
  }

  /** It starts nothing any more, and nothing is kept for it. */
  leave(): void {
    this.#ledger.leave(this);
  }

  /** Its last process is gone, and it will have no other. */
  close(): void {
    this.#ledger.close(this);
  }
}
