import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { AccessToken, Scope, TokenStore } from '../model/access-token.ts';
import { hasTokenForm, newToken, tokenHash } from './token-form.ts';

const MAX_TOKENS = 1_000;
const MINUTE_MS = 60_000;

export interface TokenBookOptions {
  readonly store: TokenStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface TokenOrder {
  readonly name: string;
  readonly scope: Scope;
  readonly apps: readonly string[] | null;
  readonly expiresInMs: number | null;
}

export type FoundToken =
  | { readonly state: 'valid' | 'expired'; readonly token: AccessToken }
  | { readonly state: 'unknown' };

/** The tokens that were given out, and whether one that is shown is among them. */
export class TokenBook {
  readonly #store: TokenStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** The minute in which each token's last use was written down, so that it is not once for each request. */
  readonly #usedMinute = new Map<string, number>();

  constructor({ store, clock, logger }: TokenBookOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The token itself is told here and never again. Rejects with `conflict` where there are too many. */
  async create(order: TokenOrder): Promise<{ token: string; kept: AccessToken }> {
    if ((await this.#store.list()).length >= MAX_TOKENS) {
      throw new FulcrumError('conflict', `There are ${MAX_TOKENS} tokens already. Revoke some first.`);
    }
    const token = newToken();
    const nowMs = this.#clock.nowMs();
    const kept: AccessToken = {
      id: `t_${randomText(8)}`,
      name: order.name,
      hash: tokenHash(token),
      scope: order.scope,
      apps: order.apps === null ? null : [...new Set(order.apps)].sort(),
      createdAtMs: nowMs,
      expiresAtMs: order.expiresInMs === null ? null : nowMs + order.expiresInMs,
      lastUsedAtMs: null,
    };
    await this.#store.add(kept);
    return { token, kept };
  }

  list(): Promise<readonly AccessToken[]> {
    return this.#store.list();
  }

  remove(id: string): Promise<boolean> {
    this.#usedMinute.delete(id);
    return this.#store.remove(id);
  }

  /** Looks `given` up by its hash, so that the time it takes tells nothing about tokens there are. */
  async find(given: string): Promise<FoundToken> {
    if (!hasTokenForm(given)) return { state: 'unknown' };
    const hash = tokenHash(given);
    const token = await this.#store.byHash(hash);
    // A store may compare text its own way, without regard to case or to what follows.
    if (token === null || !timingSafeEqual(digest(token.hash), digest(hash))) return { state: 'unknown' };
    const nowMs = this.#clock.nowMs();
    if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) return { state: 'expired', token };
    this.#used(token.id, Math.floor(nowMs / MINUTE_MS));
    return { state: 'valid', token };
  }

  #used(id: string, minute: number): void {
    if (this.#usedMinute.get(id) === minute) return;
    this.#usedMinute.set(id, minute);
    if (this.#usedMinute.size > MAX_TOKENS) this.#usedMinute.delete(this.#usedMinute.keys().next().value!);
    // Nobody waits for it, and a request that is right is not refused because it cannot be written down.
    this.#store.used(id, minute * MINUTE_MS).catch((error: unknown) => {
      this.#logger.warn(
        { token: id, error: messageOf(error) },
        'a token’s last use could not be written down',
      );
    });
  }
}

function digest(hex: string): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.write(hex, 'hex');
  return bytes;
}
