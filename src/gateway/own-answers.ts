import { FulcrumError } from '../base/errors.ts';
import { trimmed } from '../base/ows.ts';
import type { Head } from './http1/request-reader.ts';

/** What the gateway answers by itself: a refusal, or that it is there. */
export type OwnAnswer =
  | { readonly kind: 'refusal'; readonly error: FulcrumError; readonly fields: readonly string[] }
  | { readonly kind: 'present'; readonly fields: readonly string[] };

/** RFC 9110, 10.2.1: a 405 says what is allowed. What a component makes of each is its own matter. */
const ALLOW: readonly string[] = ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'];
const NONE: readonly string[] = [];

/** The answer to a request that is no component's business; null where it is. Throws `bad-request`. */
export function ownAnswer({ method, target, minor, fields }: Head): OwnAnswer | null {
  if (fields.expect !== null && minor === 1 && trimmed(fields.expect).toLowerCase() !== '100-continue') {
    const message = 'The only expectation that can be met is 100-continue.';
    return refusal(new FulcrumError('expectation-failed', message), NONE);
  }
  switch (method) {
    case 'CONNECT':
      return refusal(new FulcrumError('method-not-allowed', 'This server is no forward proxy.'), ALLOW);
    case 'TRACE':
      // It would show a page's script the fields that the browser and the gateway add, cookies among them.
      return refusal(new FulcrumError('method-not-allowed', 'TRACE is not answered here.'), ALLOW);
    case 'OPTIONS':
      if (target === '*') return { kind: 'present', fields: ALLOW };
      return forwardsNoFurther(fields.maxForwards) ? { kind: 'present', fields: ALLOW } : null;
    default:
      return null;
  }
}

/** RFC 9110, 7.6.2: at 0 whoever has the request answers it. */
function forwardsNoFurther(maxForwards: string | null): boolean {
  if (maxForwards === null) return false;
  if (!/^\d{1,9}$/.test(maxForwards))
    throw new FulcrumError('bad-request', 'The Max-Forwards field holds no number.');
  return Number(maxForwards) === 0;
}

function refusal(error: FulcrumError, fields: readonly string[]): OwnAnswer {
  return { kind: 'refusal', error, fields };
}
