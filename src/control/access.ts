import { FulcrumError } from '../base/errors.ts';
import { sameSecret } from './secret.ts';

/** What of an HTTP request decides whether it is let in. */
export interface AccessHeaders {
  readonly host: string | null;
  readonly origin: string | null;
  /** `Sec-Fetch-Site`, which browsers set and pages cannot. */
  readonly fetchSite: string | null;
  readonly cookie: string | null;
}

/** A browser's session: the cookie that `/?token=…` sets. */
export interface SessionCookie {
  readonly name: string;
  readonly value: string;
}

/** The `Host` values that mean this server: loopback names with our port, and what was allowed besides. */
export function allowedAuthorities(port: number, more: readonly string[] = []): ReadonlySet<string> {
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  const authorities = names.map((name) => `${name}:${port}`);
  if (port === 80) authorities.push(...names);
  return new Set([...authorities, ...more.map((authority) => authority.toLowerCase())]);
}

/**
 * Refuses what a foreign web page can make a browser send: a request under a name of its own (DNS rebinding) or from an
 * origin of its own. @returns null where there is nothing to object to.
 */
export function checkSite(headers: AccessHeaders, authorities: ReadonlySet<string>): FulcrumError | null {
  if (headers.host === null || !authorities.has(headers.host.toLowerCase())) {
    return new FulcrumError(
      'forbidden',
      'The admin API answers only under 127.0.0.1, localhost or [::1] with its own port, and under names that its operator has allowed. Use the address that the server printed.',
    );
  }
  if (headers.origin !== null && !isAllowedOrigin(headers.origin, authorities)) {
    return new FulcrumError('forbidden', 'The admin API takes no requests from pages of other origins.');
  }
  return null;
}

/**
 * Whether a browser's session was given, by a page of ours. What changes something must say that it comes from our origin.
 * @returns null where it was.
 */
export function checkSession(
  headers: AccessHeaders,
  method: string,
  session: SessionCookie,
): FulcrumError | null {
  // Several cookies may carry the name: a page on another port of this host can set one too, but cannot know ours.
  const known = cookieValues(headers.cookie, session.name).some((value) => sameSecret(value, session.value));
  if (!known) {
    return new FulcrumError('unauthorized', 'Open the admin link that the server printed when it started.');
  }
  const foreign = headers.fetchSite !== null && !['same-origin', 'none'].includes(headers.fetchSite);
  const reads = method === 'GET' || method === 'HEAD';
  if (foreign || (!reads && headers.origin === null)) {
    return new FulcrumError('forbidden', 'Only the admin page itself may use its session.');
  }
  return null;
}

function isAllowedOrigin(origin: string, authorities: ReadonlySet<string>): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  return match !== null && authorities.has(match[1]!.toLowerCase());
}

function cookieValues(header: string | null, name: string): string[] {
  return (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
