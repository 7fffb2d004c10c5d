import { systemClock } from '../../base/clock.ts';
import { LOADING } from '../child/instance.ts';
import type { WireConnection } from '../wire/connection.ts';
import { wireOver } from './wire-over.ts';

/** The end of a process that will be told what it is. */
export function instanceWire(descriptor: number): WireConnection {
  return wireOver(descriptor, { side: 'instance', clock: systemClock, handler: LOADING });
}
