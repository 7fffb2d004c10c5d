import type {
  Delivery,
  LeaseOrder,
  NewWork,
  Settlement,
  WorkRecord,
  WorkState,
} from '../../../../src/model/event-store.ts';

/** A piece of work as the oracle has it. */
interface Piece {
  readonly work: NewWork;
  component: string;
  state: WorkState;
  dueAtMs: number;
  attempt: number;
  node: string | null;
  /** Its place among those of its key; small is early. */
  place: number;
}

/** What an EventStore is to be, as plainly as it can be said: a list of pieces, looked through for everything. */
export class EventOracle {
  #pieces: Piece[] = [];
  readonly #dedupes = new Map<string, { id: string; untilMs: number }>();
  readonly #alive = new Map<string, number>();

  publish(node: string, nowMs: number, work: NewWork): { id: string; duplicate: boolean; leased: string[] } {
    if (work.dedupe !== null) {
      const first = this.#dedupes.get(work.dedupe.key);
      if (first !== undefined && first.untilMs > nowMs) return { id: first.id, duplicate: true, leased: [] };
      this.#dedupes.set(work.dedupe.key, { id: work.id, untilMs: work.dedupe.untilMs });
    }
    const leased: string[] = [];
    const base = { work, attempt: 0, node: null, place: work.publishedAtMs * 1_000 };
    for (const component of work.components) {
      const piece: Piece = { ...base, component, state: 'delayed', dueAtMs: work.dueAtMs };
      if (work.dueAtMs <= work.publishedAtMs) this.#enter(piece, work.publishedAtMs);
      if (piece.state === 'ready' && work.leaseFor.includes(component)) {
        Object.assign(piece, { state: 'leased', attempt: 1, node });
        leased.push(component);
      }
      this.#pieces.push(piece);
    }
    if (work.components.length === 0)
      this.#pieces.push({ ...base, component: '', state: 'unmatched', dueAtMs: work.forgetAtMs });
    return { id: work.id, duplicate: false, leased };
  }

  settle(node: string, { component, id, attempt, outcome }: Settlement): boolean {
    const piece = this.#pieces.find((one) => one.work.id === id && one.component === component);
    if (piece?.state !== 'leased' || piece.node !== node || piece.attempt !== attempt) return false;
    piece.node = null;
    if (outcome.as === 'again') {
      piece.state = 'ready';
      piece.dueAtMs = outcome.dueAtMs;
      if (!outcome.counts) piece.attempt--;
    } else if (outcome.as === 'dead') {
      piece.state = 'dead';
      piece.dueAtMs = outcome.forgetAtMs;
    } else this.#remove(piece);
    this.#promote();
    return true;
  }

  /** How many a lease must give, with the times at which they are due. */
  dueFor(order: LeaseOrder): number[] {
    const { component, nowMs, limit, mostLeased } = order;
    const joining = this.#pieces.filter(
      (one) => one.component === component && one.state === 'delayed' && one.dueAtMs <= nowMs,
    );
    joining.sort((a, b) => a.dueAtMs - b.dueAtMs || a.place - b.place);
    for (const piece of joining) this.#enter(piece, piece.dueAtMs);
    const leased = this.#pieces.filter((one) => one.component === component && one.state === 'leased').length;
    const room = mostLeased === null ? limit : Math.min(limit, mostLeased - leased);
    return this.#pieces
      .filter((one) => one.component === component && one.state === 'ready' && one.dueAtMs <= nowMs)
      .map((one) => one.dueAtMs)
      .sort((a, b) => a - b)
      .slice(0, Math.max(0, room));
  }

  leased(node: string, delivery: Delivery): void {
    const piece = this.#pieces.find(
      (one) => one.work.id === delivery.id && one.component === delivery.component,
    );
    if (piece?.state !== 'ready')
      throw new Error(`${delivery.id} was leased and is ${piece?.state ?? 'gone'}`);
    Object.assign(piece, { state: 'leased', node, attempt: piece.attempt + 1 });
  }

  beat(node: string, untilMs: number): void {
    this.#alive.set(node, untilMs);
  }

  reclaim(nowMs: number, allBut: string | null): number {
    const lives = (node: string): boolean =>
      allBut === null ? (this.#alive.get(node) ?? 0) > nowMs : node === allBut;
    const lost = this.#pieces.filter((one) => one.state === 'leased' && !lives(one.node!));
    for (const piece of lost) Object.assign(piece, { state: 'ready', node: null });
    for (const node of [...this.#alive.keys()]) if (!lives(node)) this.#alive.delete(node);
    return lost.length;
  }

  retry(fits: (piece: Piece) => boolean, nowMs: number): number {
    const chosen = this.#pieces.filter(
      (one) => fits(one) && (one.state === 'dead' || (one.state === 'ready' && one.dueAtMs > nowMs)),
    );
    for (const piece of chosen) {
      piece.attempt = 0;
      piece.dueAtMs = nowMs;
      if (piece.state === 'dead') piece.state = piece.work.key === null ? 'ready' : 'blocked';
    }
    this.#promote();
    return chosen.length;
  }

  drop(fits: (piece: Piece) => boolean): number {
    const chosen = this.#pieces.filter((one) => fits(one) && one.state !== 'leased');
    for (const piece of chosen) this.#remove(piece);
    this.#promote();
    return chosen.length;
  }

  redrive(fits: (piece: Piece) => boolean, to: string, nowMs: number): number {
    const chosen = this.#pieces
      .filter((one) => fits(one) && (one.state === 'dead' || one.state === 'unmatched'))
      // By component and state, the oldest first.
      .sort((a, b) => compare(a.component, b.component) || compare(orderOf(a), orderOf(b)));
    let count = 0;
    for (const piece of chosen) {
      const isBack = piece.component === to;
      const has = this.#pieces.some((one) => one.work.id === piece.work.id && one.component === to);
      if (has && !isBack) continue;
      count++;
      Object.assign(piece, { component: to, attempt: 0, dueAtMs: nowMs });
      if (isBack) piece.state = piece.work.key === null ? 'ready' : 'blocked';
      else this.#wait(piece, nowMs);
    }
    this.#promote();
    return count;
  }

  match(type: string, components: readonly string[], nowMs: number): number {
    const chosen = this.#pieces
      .filter((one) => one.state === 'unmatched' && one.work.type === type)
      .sort((a, b) => compare(orderOf(a), orderOf(b)));
    for (const piece of chosen) {
      this.#remove(piece);
      for (const component of components) {
        const copy = { ...piece, component, dueAtMs: nowMs };
        this.#wait(copy, nowMs);
        this.#pieces.push(copy);
      }
    }
    this.#promote();
    return chosen.length;
  }

  prune(nowMs: number): number {
    const chosen = this.#pieces.filter(
      (one) => (one.state === 'dead' || one.state === 'unmatched') && one.dueAtMs <= nowMs,
    );
    for (const piece of chosen) this.#remove(piece);
    return chosen.length;
  }

  /** What is to be kept, one line each. */
  lines(): string[] {
    return this.#pieces
      .map((one) => lineOf({ ...one, id: one.work.id, key: one.work.key }, one.state))
      .sort();
  }

  /** Its place is behind all that its key has. */
  #wait(piece: Piece, atMs: number): void {
    if (piece.work.key === null) {
      piece.state = 'ready';
      return;
    }
    const last = Math.max(0, ...this.#inKey(piece).map((one) => one.place));
    piece.place = Math.max(last + 1, atMs * 1_000);
    piece.state = 'blocked';
  }

  #enter(piece: Piece, atMs: number): void {
    this.#wait(piece, atMs);
    if (piece.state === 'blocked' && !this.#inKey(piece).some((one) => one !== piece)) piece.state = 'ready';
    this.#promote();
  }

  #inKey({ component, work }: Piece): Piece[] {
    return this.#pieces.filter(
      (one) =>
        one.component === component &&
        one.work.key === work.key &&
        ['ready', 'leased', 'blocked'].includes(one.state),
    );
  }

  #promote(): void {
    const blocked = this.#pieces.filter((one) => one.state === 'blocked');
    blocked.sort((a, b) => a.place - b.place || compare(a.work.id, b.work.id));
    for (const piece of blocked)
      if (this.#inKey(piece).every((one) => one.state === 'blocked')) piece.state = 'ready';
  }

  #remove(piece: Piece): void {
    this.#pieces = this.#pieces.filter((one) => one !== piece);
  }
}

export function lineOf(
  record: Pick<WorkRecord, 'component' | 'id' | 'key' | 'dueAtMs' | 'attempt'>,
  state: WorkState,
): string {
  const { component, id, key, dueAtMs, attempt } = record;
  return [component, id, key ?? '-', state, dueAtMs, attempt].join(' ');
}

function orderOf({ state, work }: Piece): string {
  return `${state} ${String(work.publishedAtMs).padStart(15, '0')} ${work.id}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
