import { clientOf } from '../base/client-of.ts';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { LINK_CALLER, type Caller } from './caller.ts';
import { FailureLimit } from './failure-limit.ts';
import { sameSecret } from './secret.ts';
import type { TokenBook } from './token-book.ts';
import { hasTokenForm } from './token-form.ts';

export interface DoorkeeperOptions {
  /** The token of this start, which its printed link carries; null: there is none. */
  readonly ownToken: string | null;
  /** Null: no tokens are kept. */
  readonly tokens: TokenBook | null;
  readonly clock: Clock;
}

/** Decides who an HTTP request with a bearer token comes from. */
export class Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #failures: FailureLimit;

  constructor(options: DoorkeeperOptions) {
    this.#options = options;
    this.#failures = new FailureLimit(options.clock);
  }

  /**
   * @param authorization the header. @param address the client's.
   * Rejects with `unauthorized`, and with `rate-limited` where the token is wrong and the address has shown too many such. A right one is
   * let in whoever else fails from the address: behind a proxy that is everybody's.
   */
  async admit(authorization: string | null, address: string): Promise<Caller> {
    const given = /^Bearer +([^\s]+)$/i.exec(authorization?.trim() ?? '')?.[1];
    if (given === undefined) {
      throw new FulcrumError(
        'unauthorized',
        'Send a token as `Authorization: Bearer …`, or use the Unix socket as the fulcrum command does.',
      );
    }
    const { ownToken, tokens, clock } = this.#options;
    if (ownToken !== null && sameSecret(given, ownToken)) return LINK_CALLER;
    const key = clientOf(address);
    const found = tokens === null || !hasTokenForm(given) ? null : await tokens.find(given);
    if (found?.state === 'valid') {
      const { id, name, scope, apps } = found.token;
      return { actor: `${name} (${id})`, scope, apps };
    }
    const waitMs = this.#failures.waitMs(key);
    if (waitMs > 0) throw tooMany('Wrong tokens were shown from this address', waitMs);
    this.#failures.failed(key);
    if (found?.state === 'expired') {
      const days = Math.floor((clock.nowMs() - found.token.expiresAtMs!) / 86_400_000);
      const when = days === 0 ? 'today' : days === 1 ? 'a day ago' : `${days} days ago`;
      throw new FulcrumError(
        'unauthorized',
        `This token ('${found.token.name}') expired ${when}. Have a new one made with \`fulcrum tokens create\`.`,
      );
    }
    throw new FulcrumError(
      'unauthorized',
      ownToken === null
        ? 'The token is not a valid one; it may have been revoked.'
        : 'The admin token is not the right one; each start of a server may make a new one.',
    );
  }
}

/** @param why what happened too often, without a full stop. */
export function tooMany(why: string, waitMs: number): FulcrumError {
  const seconds = Math.ceil(waitMs / 1_000);
  return new FulcrumError('rate-limited', `${why} too often. Try again in ${seconds} s.`, {
    retryAfterS: seconds,
  });
}
