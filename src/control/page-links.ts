import type { Clock } from '../base/clock.ts';
import { secretToken } from '../base/ids.ts';
import { sameSecret } from './secret.ts';

const VALID_MS = 60_000;
const MAX_LINKS = 16;

interface Link {
  readonly token: string;
  readonly endsAtMs: number;
}

/** Links that open the admin page once, within a minute: they may stay in a browser's history, and in a terminal's. */
export class PageLinks {
  readonly #clock: Clock;
  #links: Link[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A token for `/?token=`. Where there are too many, the oldest ends. */
  create(): { readonly token: string; readonly validMs: number } {
    const token = secretToken();
    this.#links = [...this.#valid(), { token, endsAtMs: this.#clock.monotonicMs() + VALID_MS }].slice(
      -MAX_LINKS,
    );
    return { token, validMs: VALID_MS };
  }

  /** Whether `given` opens the page; it does so once. */
  take(given: string): boolean {
    const found = this.#valid().find(({ token }) => sameSecret(given, token));
    this.#links = this.#valid().filter((link) => link !== found);
    return found !== undefined;
  }

  #valid(): Link[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#links.filter(({ endsAtMs }) => endsAtMs > nowMs);
  }
}
