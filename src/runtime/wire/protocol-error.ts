import { FulcrumError } from '../../base/errors.ts';

/** The peer sent what it may not. Ends its connection, and nothing else. */
export function protocolError(message: string): FulcrumError {
  return new FulcrumError('wire-protocol', `The instance broke the wire protocol: ${message}.`);
}
