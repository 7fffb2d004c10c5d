import { protocolError } from './protocol-error.ts';

/** Reads DONE: milliseconds of CPU time. */
export function readDone(payload: Buffer): number {
  if (payload.length !== 4) throw protocolError('a DONE that is not 4 bytes');
  return payload.readUInt32LE(0) / 1_000;
}
