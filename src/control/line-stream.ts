import type { Clock } from '../base/clock.ts';
import { asFulcrumError } from '../base/errors.ts';
import type { Release } from '../model/release.ts';
import type { DeployStep } from './host-port.ts';
import { HEARTBEAT_MS } from './log-stream.ts';
import { problemOf } from './problem.ts';
import type { LineStream } from './route.ts';
import type { ReleaseSummary, StepLine } from './schemas.ts';

/**
 * Runs `work` and tells its steps as lines, the last of which is its result or error. It goes on when the reader goes: a connection
 * that breaks must not leave a deploy half done.
 */
export function stepLines(
  clock: Clock,
  work: (onStep: (step: DeployStep) => void) => Promise<Release>,
): LineStream {
  const encoder = new TextEncoder();
  let reader: ReadableStreamDefaultController<Uint8Array> | null = null;
  const send = (line: StepLine): void => reader?.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      reader = controller;
    },
    cancel() {
      reader = null;
    },
  });
  // At once, so that a client sees that it has begun.
  send({ kind: 'heartbeat' });
  const heartbeat = clock.every(HEARTBEAT_MS, () => {
    if ((reader?.desiredSize ?? 0) > 0) send({ kind: 'heartbeat' });
  });
  const run = async (): Promise<Release> => {
    try {
      const release = await work((step) => send({ kind: 'step', step }));
      send({ kind: 'result', release: summaryOf(release) });
      return release;
    } catch (thrown) {
      const error = asFulcrumError(thrown);
      send({ kind: 'error', error: problemOf(error) as Extract<StepLine, { kind: 'error' }>['error'] });
      throw error;
    } finally {
      heartbeat.cancel();
      reader?.close();
      reader = null;
    }
  };
  return { body, done: run() };
}

/** A release as lists and results tell it. */
export function summaryOf(release: Release): ReleaseSummary {
  const { app, number, state, createdAtMs, createdBy, note, failure } = release;
  return { app, number, state, createdAtMs, createdBy, note, failure };
}
