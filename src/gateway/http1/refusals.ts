import { FulcrumError } from '../../base/errors.ts';

/** What arrived is no message that every reader would read alike, so that nothing behind it can be trusted (RFC 9112, 11.2). */
export function bad(message: string): FulcrumError {
  return new FulcrumError('bad-request', message);
}

export function headersTooLarge(message: string): FulcrumError {
  return new FulcrumError('headers-too-large', message);
}

export function targetTooLong(limitBytes: number): FulcrumError {
  return new FulcrumError(
    'target-too-long',
    `The request line does not end within ${limitBytes} bytes. Put long data into a body.`,
  );
}
