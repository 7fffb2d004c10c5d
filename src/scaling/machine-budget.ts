/**
 * The one ledger of a server's memory, and of how many instances may be starting at a time. Every instance of every app and release
 * reserves what it may hold for as long as its process may exist, and the sum is never above the budget. Room for the minimum of services
 * is theirs from the moment they are prepared. The rest is elastic: whoever comes first has it, until somebody waits; from then on it is
 * shared out anew (`allotment.ts`) whenever something changes, those who have more than their part give back, and those who get some are
 * told. Nothing ticks but the look at the machine's own memory while there are function instances or it is short.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { isPressed, type MachineMemory } from '../base/machine-memory.ts';
import type { BudgetStatus } from '../model/status.ts';
import { allot, type Claim } from './allotment.ts';
import { BudgetAccount, type AccountOptions, type Holding, type Ledger } from './budget-account.ts';
import { fairShares } from './fair-share.ts';
import { refuseUnfit, type Newcomer } from './fit.ts';

export interface MachineBudgetOptions {
  /** What all instances together may hold. */
  readonly memoryBytes: number;
  /** How many processors they may use. */
  readonly cpus: number;
  readonly clock: Clock;
  /** What the machine has at this moment. */
  readonly memory: () => MachineMemory;
  /** Whether the processors of the budget are used up at this moment. */
  readonly cpuUsedUp: () => boolean;
  /** Is told of a fault of ours that would otherwise have ended the server. */
  readonly fault: (error: unknown) => void;
}

/** A start is work for the processor: with a hundred at once on two cores, each took 3 s instead of 60 ms. */
const STARTS_PER_CPU = 3;
/** How often the machine's memory is looked at while there are function instances, and its processors while somebody is held for them. */
const LOOK_EVERY_MS = 1_000;
/** So many of the idle instances end at each look, until the machine is not pressed any more. */
const PART = 0.25;
const PRESSED_REASON = 'the machine is short of memory';

interface Held {
  readonly account: BudgetAccount;
  readonly holding: Holding;
}

export class MachineBudget implements Ledger {
  readonly #o: MachineBudgetOptions;
  readonly #accounts = new Set<BudgetAccount>();
  /** Those that want more than they may start. */
  readonly #short = new Set<BudgetAccount>();
  /** Those that have been asked to give back. */
  readonly #owing = new Set<BudgetAccount>();
  #reservedBytes = 0;
  /** Kept for minimums, and held by nobody. */
  #keptBytes = 0;
  /** All minimums, whether they are there or not. */
  #minimumBytes = 0;
  /** Those of who serves: not of what is still to take its place. */
  #servingBytes = 0;
  /** Function instances that are starting. */
  #starting = 0;
  /** Function instances whose processes may exist. */
  #functions = 0;
  #pressed = false;
  #poked = false;
  #look: Timer | null = null;
  /** Somebody is held for what is no event. */
  #later: Timer | null = null;

  constructor(o: MachineBudgetOptions) {
    this.#o = o;
  }

  get startsAtOnce(): number {
    return Math.max(1, Math.floor(STARTS_PER_CPU * this.#o.cpus));
  }

  get cpus(): number {
    return this.#o.cpus;
  }

  get status(): BudgetStatus {
    const { memoryBytes, cpus } = this.#o;
    return {
      memoryBytes,
      promisedBytes: this.#reservedBytes + this.#keptBytes,
      keptBytes: this.#keptBytes,
      cpus,
      pressed: this.#pressed,
      waiting: this.#short.size,
    };
  }

  /** What is not kept for the minimum of services, whoever holds it now. */
  get elasticBytes(): number {
    return this.#o.memoryBytes - this.#minimumBytes;
  }

  /** The same without what is kept only until a deploy or a mode switch is over. */
  get lastingBytes(): number {
    return this.#o.memoryBytes - this.#servingBytes;
  }

  /**
   * Whether what is to come fits beside what is kept for those that serve. Throws `machine-full`, which says what is needed, what there is
   * and what to do; changes nothing.
   */
  refuseUnfit(newcomers: readonly Newcomer[]): void {
    const { memoryBytes } = this.#o;
    refuseUnfit({ memoryBytes, minimumBytes: this.#minimumBytes }, newcomers);
  }

  /** Keeps room for its minimum from now on. Where others hold it, they make it once its first starts wait for it. */
  open(o: AccountOptions): BudgetAccount {
    const account = new BudgetAccount(o, this);
    this.#accounts.add(account);
    this.#minimumBytes += o.minimum * o.bytes;
    this.#keptBytes += o.minimum * o.bytes;
    // What was granted before may be what is kept from now on.
    if (this.#short.size > 0) this.#poke();
    return account;
  }

  room(account: BudgetAccount): number {
    const { bytes, mode } = account.o;
    const { kept } = account;
    const freeBytes = this.#o.memoryBytes - this.#reservedBytes;
    // What is kept for it may still be held by those who are on their way out.
    const own = Math.min(kept, Math.max(0, Math.floor(freeBytes / bytes)));
    if (own < kept) return own;
    if (this.#pressed && !this.#isLast(account)) return own;
    // Between a share-out and the start, others may have taken what is theirs.
    const elastic =
      this.#short.size > 0
        ? Math.min(account.granted, Math.floor((freeBytes - this.#keptBytes) / bytes))
        : this.#elasticRoom(account);
    if (mode === 'service') return own + Math.max(0, elastic);
    const starts = this.startsAtOnce - this.#starting;
    const begins = starts > 0 ? starts : this.#mayGoFirst(account) ? 1 : 0;
    const most = Math.min(elastic, begins, this.#pressed ? 1 : elastic);
    if (most <= 0) return own;
    // With others waiting it has been looked at when room was shared out.
    const isAsked = this.#short.size === 0 && this.#o.cpuUsedUp();
    return own + (isAsked ? Math.min(most, this.#cpuRoom(account).get(account) ?? most) : most);
  }

  reserve(account: BudgetAccount): void {
    const { bytes, mode, component } = account.o;
    if (this.#reservedBytes + bytes > this.#o.memoryBytes)
      throw new FulcrumError('internal', `The machine has no room for an instance of "${component}".`);
    if (account.kept > 0) this.#keptBytes -= bytes;
    else account.granted = Math.max(0, account.granted - 1);
    // It has its turn, and waits behind all others for the next: else whoever floods, and waits without an end, would always come first.
    account.waitsSinceMs = this.#o.clock.monotonicMs();
    account.reserved++;
    account.moved = true;
    this.#reservedBytes += bytes;
    if (mode === 'service') return;
    account.starting++;
    this.#starting++;
    this.#functions++;
    this.#look ??= this.#o.clock.every(LOOK_EVERY_MS, () => this.#guard(() => this.#lookAtMemory()));
  }

  started(account: BudgetAccount): void {
    if (account.o.mode === 'function') {
      account.starting--;
      this.#starting--;
    }
    if (this.#short.size > 0) this.#poke();
  }

  release(account: BudgetAccount): void {
    const { bytes, mode } = account.o;
    account.reserved--;
    this.#reservedBytes -= bytes;
    if (account.reserved < account.minimum) this.#keptBytes += bytes;
    if (mode === 'function') this.#functions--;
    this.#rest();
    if (this.#short.size > 0) this.#poke();
  }

  settle(account: BudgetAccount, short: number): void {
    if (short > 0 && account.wants === 0) {
      account.waitsSinceMs = this.#o.clock.monotonicMs();
      this.#short.add(account);
    }
    const changed = account.wants !== short;
    const { moved } = account;
    account.wants = short;
    account.moved = false;
    if (short === 0) {
      this.#short.delete(account);
      account.granted = 0;
    }
    // Only what is new: each share-out has those who are short look again, and that would be for ever.
    if (changed || (moved && this.#short.size > 0)) this.#poke();
  }

  serve(account: BudgetAccount): void {
    account.serves = true;
    this.#servingBytes += account.minimum * account.o.bytes;
    if (this.#short.size > 0) this.#poke();
  }

  leave(account: BudgetAccount): void {
    const { bytes } = account.o;
    this.#keptBytes -= account.kept * bytes;
    this.#minimumBytes -= account.minimum * bytes;
    if (account.serves) this.#servingBytes -= account.minimum * bytes;
    account.minimum = 0;
    account.moved = true;
    this.settle(account, 0);
  }

  close(account: BudgetAccount): void {
    this.leave(account);
    this.#owing.delete(account);
    this.#accounts.delete(account);
  }

  /** How many instances beyond its minimum there is room for, where nobody waits. */
  #elasticRoom(account: BudgetAccount): number {
    const { bytes } = account.o;
    const freeBytes = this.#o.memoryBytes - this.#reservedBytes - this.#keptBytes;
    const room = Math.floor((freeBytes - this.#firstBytes(account)) / bytes);
    return account.reserved === 0 && freeBytes >= bytes ? Math.max(1, room) : room;
  }

  /**
   * What is left free for the first instances of functions that have none: an instance that calls one holds its own room until it is
   * answered, and with all of the room held by such nobody would ever be. For all that have been called before; of the others nobody
   * knows whether they will be, and the largest of them stands for all. Never more than half of what is elastic.
   */
  #firstBytes(except: BudgetAccount | null): number {
    let [called, largest] = [0, 0];
    for (const account of this.#accounts) {
      const { mode, bytes } = account.o;
      if (
        mode === 'service' ||
        !account.serves ||
        account.reserved > 0 ||
        account.wants > 0 ||
        account === except
      )
        continue;
      if (account.isCalled) called += bytes;
      else largest = Math.max(largest, bytes);
    }
    return Math.min(called + largest, this.elasticBytes / 2);
  }

  /**
   * The machine is pressed, and would stop answering altogether without this one: there is none, or all that there are wait for what they
   * have called.
   */
  #isLast({ o: { mode, holder } }: BudgetAccount): boolean {
    if (mode !== 'function') return false;
    if (this.#functions === 0) return true;
    if (!holder.holding().callWaits) return false;
    let calling = 0;
    for (const { o } of this.#accounts) if (o.mode === 'function') calling += o.holder.holding().calling;
    return calling >= this.#functions;
  }

  #poke(): void {
    if (this.#poked) return;
    this.#poked = true;
    queueMicrotask(() => {
      this.#poked = false;
      this.#guard(() => this.#shareOut());
    });
  }

  #shareOut(): void {
    const held = this.#held();
    const cpuRoom = this.#short.size > 0 && this.#o.cpuUsedUp() ? this.#cpuRoom(null) : UNBOUNDED;
    const firsts = this.#firsts();
    const claims = held.map((one) => this.#claimOf(one, cpuRoom, firsts));
    const { memoryBytes } = this.#o;
    const comingBytes = held.reduce((sum, { account, holding }) => sum + holding.coming * account.o.bytes, 0);
    const starts = this.startsAtOnce - this.#starting;
    const allotted =
      this.#short.size > 0
        ? allot(
            {
              firstBytes: this.#firstBytes(null),
              freeBytes: memoryBytes - this.#reservedBytes,
              comingBytes,
              elasticBytes: this.elasticBytes,
              starts,
            },
            claims,
          )
        : [];
    const before = new Set(this.#owing);
    this.#owing.clear();
    for (const [i, { granted, gives, givesFor, denied }] of allotted.entries()) {
      const { account } = held[i]!;
      account.granted = granted;
      if (gives > 0) {
        this.#owing.add(account);
        before.delete(account);
        const whom = held[givesFor!]!.account;
        const why = `makes room for ${nameFor(whom, account)} (machine budget)`;
        this.#guard(() => account.o.holder.giveBack(gives, why));
      }
      if (account.wants === 0) continue;
      if (this.room(account) > 0) this.#guard(() => account.o.holder.roomCame());
      else if (denied) this.#guard(() => account.o.holder.noRoom());
    }
    for (const account of before) this.#guard(() => account.o.holder.giveBack(0, ''));
    // Only time tells when processors are free again.
    if (cpuRoom.size > 0) this.#lookAgain();
  }

  #lookAgain(): void {
    if (this.#later !== null) return;
    this.#later = this.#o.clock.after(LOOK_EVERY_MS, () => {
      this.#later = null;
      if (this.#short.size > 0) this.#poke();
    });
  }

  /** Those that hold or want something. @param asking counts whatever it has. */
  #held(asking: BudgetAccount | null = null): Held[] {
    const held: Held[] = [];
    for (const account of this.#accounts) {
      if (account !== asking && account.reserved === 0 && account.wants === 0 && account.kept === 0) continue;
      held.push({ account, holding: account.o.holder.holding() });
    }
    return held;
  }

  #claimOf(
    { account, holding }: Held,
    cpuRoom: ReadonlyMap<BudgetAccount, number>,
    firsts: ReadonlySet<BudgetAccount>,
  ): Claim {
    const { bytes, weight, mode } = account.o;
    const { kept, minimum, waitsSinceMs } = account;
    const { live, idleSinceMs, busy } = holding;
    return {
      ...{ bytes, weight, minimum, kept, waitsSinceMs, live, idleSinceMs, busy },
      service: mode === 'service',
      wants: Math.max(0, account.wants - kept),
      most: this.#pressed && !this.#isLast(account) ? 0 : (cpuRoom.get(account) ?? Number.POSITIVE_INFINITY),
      first: firsts.has(account),
    };
  }

  /** Those of who is short that {@link #mayGoFirst}; of the candidates of an app one, whichever has waited longest. */
  #firsts(): ReadonlySet<BudgetAccount> {
    const firsts = new Set<BudgetAccount>();
    const apps = new Set<string>();
    for (const account of this.#short) {
      if (!this.#mayGoFirst(account)) continue;
      if (!account.serves) {
        if (apps.has(account.o.app)) continue;
        apps.add(account.o.app);
      }
      firsts.add(account);
    }
    return firsts;
  }

  /**
   * Whether it may begin one although as many start as may: with six slow starts of one function nobody else would start for as long as they
   * take. So each function that has none starting has one beside them, and of those that a deploy has prove themselves one for each app: a
   * deploy may have a hundred of them.
   */
  #mayGoFirst(account: BudgetAccount): boolean {
    if (account.o.mode === 'service' || account.starting > 0) return false;
    if (account.serves) return true;
    for (const { o, serves, starting } of this.#accounts)
      if (starting > 0 && !serves && o.app === account.o.app) return false;
    return true;
  }

  /**
   * How many more instances each function may have while the processors are used up: up to its fair part of as many as they can work on,
   * three for each. Unbounded where there is only one: whom would it wait for? An instance that waits for what it has called does not
   * count for calls that wait: they may be what it waits for, however far down the chain, and nobody would ever be done.
   * @param asking it is not known yet how many it wants.
   */
  #cpuRoom(asking: BudgetAccount | null): ReadonlyMap<BudgetAccount, number> {
    const held = this.#held(asking).filter(
      ({ account, holding }) =>
        account.o.mode === 'function' && (account === asking || holding.live + account.wants > 0),
    );
    if (held.length < 2) return UNBOUNDED;
    const shares = fairShares(
      this.startsAtOnce,
      held.map(({ account, holding }) => ({
        weight: account.o.weight,
        wants: account === asking ? Number.POSITIVE_INFINITY : holding.live + account.wants,
      })),
    );
    return new Map(
      // With none at work it would stand still.
      held.map(({ account, holding: { live, calling, callWaits } }, i) => [
        account,
        Math.max(callWaits ? 1 + calling : 1, Math.floor(shares[i]!)) - live,
      ]),
    );
  }

  #lookAtMemory(): void {
    const was = this.#pressed;
    this.#pressed = isPressed(this.#o.memory());
    if (this.#pressed) this.#endIdle();
    // As long as it is, what was at work may have come to wait for what it has called.
    if ((was || this.#pressed) && this.#short.size > 0) this.#poke();
    this.#rest();
  }

  /** A part of all idle function instances, those that have been idle longest. */
  #endIdle(): void {
    const idle = this.#held().flatMap(({ account, holding }) =>
      account.o.mode === 'function' ? holding.idleSinceMs.map((sinceMs) => ({ account, sinceMs })) : [],
    );
    const longest = idle.toSorted((a, b) => a.sinceMs - b.sinceMs).slice(0, Math.ceil(idle.length * PART));
    for (const [account, those] of Map.groupBy(longest, ({ account }) => account))
      this.#guard(() => account.o.holder.endIdle(those.length, PRESSED_REASON));
  }

  /** What runs in a microtask or timer has nobody above it: a fault in one holder ends neither the server nor the others' turn. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#lookAgain();
      this.#o.fault(error);
    }
  }

  /** With no function instance left there is nothing to look for, but for the end of a shortage: services wait for that, too. */
  #rest(): void {
    if (this.#functions > 0 || this.#pressed) return;
    this.#look?.cancel();
    this.#look = null;
  }
}

const UNBOUNDED: ReadonlyMap<BudgetAccount, number> = new Map();

/** Whoever reads one app's log learns nothing of another. */
function nameFor(whom: BudgetAccount, reader: BudgetAccount): string {
  return whom.o.app === reader.o.app ? `"${whom.o.component}"` : 'another app';
}
