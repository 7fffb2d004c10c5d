import type { Admission } from './admission.ts';
import type { Exchange } from './exchange.ts';

/** Where a program that proves to a certificate authority that a host is ours has its answers fetched (RFC 8555, 8.3): over plain HTTP. */
const CHALLENGES = '/.well-known/acme-challenge/';

/** Sends clients of plain HTTP to where TLS is spoken. */
export class Redirect {
  readonly #port: string;

  /** @param port where TLS is spoken, as clients see it. */
  constructor(port: number) {
    this.#port = port === 443 ? '' : `:${port}`;
  }

  /** @returns whether `exchange` has been answered: not where a proxy of ours spoke TLS with the client, nor a challenge. */
  answer({ path, query, view }: Admission, exchange: Exchange): boolean {
    if (view.proto === 'https' || path.startsWith(CHALLENGES)) return false;
    // 308 keeps the method and the body, and is kept by clients.
    exchange.reply(308, ['Location', `https://${withoutPort(view.host)}${this.#port}${path}${query}`]);
    exchange.release();
    return true;
  }
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
