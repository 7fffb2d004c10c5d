import { FulcrumError } from '../base/errors.ts';
import type { InstanceHost } from './host.ts';

/**
 * What asks for something that `host` cannot do.
 * @param what as it begins a sentence. @param missing what is not there outside. @param kind of what an older host knows nothing.
 */
export function outsideFulcrum(
  host: InstanceHost | null,
  what: string,
  missing: string,
  kind: string,
): FulcrumError {
  return new FulcrumError(
    'outside-fulcrum',
    host === null
      ? `${what} outside Fulcrum, where there is ${missing}. Start the app with \`fulcrum dev\`, or in a test with startApp() of 'fulcrum/testing'.`
      : `${what} under a Fulcrum that is older than ${kind} are. Upgrade it, and deploy the app again.`,
  );
}
