import { ClientCounts } from './client-counts.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { ClientConnection } from './client-connection.ts';
import type { GatewayLimits } from './limits.ts';

export interface ConnectionsOptions {
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether an address may open as many connections as it likes: a proxy of ours, behind which many clients are. */
  readonly trusts: (address: string) => boolean;
}

/**
 *   open ──announceEnd()──▶ leaving (each ends with its next answer) ──▶ closing (idle ones are closed, and new ones at once)
 *     └──────────────────────────close()────────────────────────────────▶ closing
 */
type ConnectionsState = 'open' | 'leaving' | 'closing';

/** So many idle connections are closed before the loop reads again what has come on the others. */
const CLOSED_AT_ONCE = 64;
/** How many turned-away connections are told of in one line of the log, at most once in this time. */
const TELL_REFUSED_MS = 10_000;

/** Every open connection, by whatever door it came, so that none outlives `close` or its limits. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #all = new Set<ClientConnection>();
  readonly #clients: ClientCounts;
  readonly #watch: Timer;
  #refused = 0;
  #toldRefusedMs = Number.NEGATIVE_INFINITY;
  #state: ConnectionsState = 'open';
  #emptied: (() => void)[] = [];

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#clients = new ClientCounts(options.limits.maxConnectionsPerClient);
    this.#watch = options.clock.every(watchPeriodMs(options.limits), () => this.#look());
  }

  get count(): number {
    return this.#all.size;
  }

  /** @returns whether `socket` may come in; where not, it has been closed. Whoever comes in must be added. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '0.0.0.0';
    if (this.#makeRoom() && (this.#options.trusts(address) || this.#clients.mayEnter(address))) return true;
    this.#refuse(socket);
    return false;
  }

  add(connection: ClientConnection): void {
    this.#all.add(connection);
    this.#clients.enter(connection.peer.address);
    if (this.#state === 'leaving') connection.announceEnd();
    else if (this.#state === 'closing') connection.close();
  }

  /** Idempotent. */
  remove(connection: ClientConnection): void {
    if (!this.#all.delete(connection)) return;
    this.#clients.leave(connection.peer.address);
    if (this.#all.size === 0) for (const told of this.#emptied.splice(0)) told();
  }

  /** Each ends with its next answer. Resolves when none is left, or after `idleMs`, when those that are idle have been closed. */
  async leave(idleMs: number): Promise<void> {
    if (this.#state === 'open') this.#enter('leaving');
    for (const connection of this.#all) connection.announceEnd();
    let timer: Timer | null = null;
    const over = new Promise<void>((resolve) => void (timer = this.#options.clock.after(idleMs, resolve)));
    await Promise.race([over, this.#empty()]);
    (timer as Timer | null)?.cancel();
    this.#enter('closing');
    // Each right after what had come on it was read: a request that was on its way is not lost to its connection's end.
    let closed = 0;
    for (const connection of this.#all) {
      if (closed++ % CLOSED_AT_ONCE === 0) await nextTurn();
      connection.close();
    }
  }

  /** Lets what is in flight end within `drainMs`, then cuts what is left; at once for 0. */
  async close(drainMs: number): Promise<void> {
    this.#enter('closing');
    for (const connection of this.#all) connection.close();
    const cut = (): void => {
      for (const connection of this.#all) connection.destroy();
    };
    const timer = drainMs > 0 ? this.#options.clock.after(drainMs, cut) : null;
    if (timer === null) cut();
    await this.#empty();
    timer?.cancel();
    this.#watch.cancel();
  }

  #empty(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#emptied.push(resolve));
  }

  #enter(state: ConnectionsState): void {
    this.#state = state;
  }

  /** Where the house is full, whoever has been idle longest between two requests goes: it has been answered, and can come again. */
  #makeRoom(): boolean {
    if (this.#all.size < this.#options.limits.maxConnections) return true;
    let oldest: ClientConnection | null = null;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const connection of this.#all) {
      const sinceMs = connection.idleSinceMs;
      if (sinceMs === null || sinceMs >= oldestMs) continue;
      oldest = connection;
      oldestMs = sinceMs;
    }
    if (oldest === null) return false;
    oldest.close();
    return true;
  }

  #refuse(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.destroy();
    this.#refused++;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#toldRefusedMs < TELL_REFUSED_MS) return;
    this.#toldRefusedMs = nowMs;
    this.#options.logger.warn(
      { refused: this.#refused, open: this.#all.size, address: socket.remoteAddress ?? null },
      'connections were turned away, because as many are open as may be, in all or from one address',
    );
    this.#refused = 0;
  }

  /** One timer for all connections: a timer for each would be what a warm request mostly costs. */
  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    let pendingBytes = 0;
    for (const connection of this.#all) {
      connection.watch(nowMs);
      pendingBytes += connection.pendingBytes;
    }
    if (pendingBytes > this.#options.limits.maxPendingBytes) this.#cutLongestStalled(pendingBytes);
  }

  #cutLongestStalled(pendingBytes: number): void {
    let left = pendingBytes;
    const waiting = [...this.#all].filter((connection) => connection.pendingBytes > 0);
    waiting.sort((a, b) => a.stalledSinceMs - b.stalledSinceMs);
    for (const connection of waiting) {
      if (left <= this.#options.limits.maxPendingBytes) return;
      left -= connection.pendingBytes;
      connection.cutStalled('held up too much memory, together with that of others');
    }
  }
}

/** Often enough that no limit is overrun by more than a quarter. */
function watchPeriodMs(limits: GatewayLimits): number {
  const { headersTimeoutMs, bodyIdleMs, keepAliveMs, stalledClientMs, lingerMs, minRateGraceMs } = limits;
  const shortestMs = Math.min(
    headersTimeoutMs,
    bodyIdleMs,
    keepAliveMs,
    stalledClientMs,
    lingerMs,
    minRateGraceMs,
  );
  return Math.max(10, Math.min(1_000, shortestMs / 4));
}
