import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';

/** What a call says whose arguments or result are larger than may cross the wire. */
export function tooLarge(what: 'arguments' | 'result'): FulcrumError {
  const limit = formatBytes(MAX_PAYLOAD_BYTES);
  const message = `A call's ${what} take more than the ${limit} that may cross between components. Pass a reference to the data instead.`;
  return new FulcrumError('call-too-large', message);
}
