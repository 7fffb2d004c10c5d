/** Origins that are remembered; a component is reached by few. */
const MAX_REMEMBERED = 256;
/** A path and query that the URL standard leaves as they are. */
const PLAIN = /^\/(?!\/)[A-Za-z0-9\-._~!$&()*+,;=:@/%]*(?:\?[A-Za-z0-9\-._~!$&()*+,;=:@/%?]*)?$/;
const DOTS = /\/\.|%2e/i;

/** Where the first slash is not the path's, or the origin would lose something. */
const NO_ORIGIN = /[?#@\\]/;

const origins = new Map<string, string | null>();

/** `url` as the URL standard serialises it. Throws TypeError where it is none. */
export function normalUrl(url: string): string {
  const slash = url.indexOf('/', url.indexOf('://') + 3);
  if (slash === -1) return new URL(url).href;
  const target = url.slice(slash);
  if (!PLAIN.test(target) || DOTS.test(target)) return new URL(url).href;
  const written = url.slice(0, slash);
  let origin = origins.get(written);
  if (origin === undefined) {
    origin = NO_ORIGIN.test(written) ? null : new URL(written).origin;
    if (origins.size >= MAX_REMEMBERED) origins.clear();
    origins.set(written, origin);
  }
  return origin === null ? new URL(url).href : origin + target;
}
