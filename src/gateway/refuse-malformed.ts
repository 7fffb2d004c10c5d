import { requestId } from '../base/ids.ts';
import { accessLine } from './access-line.ts';
import { problemOf } from './problem.ts';
import { linesOf } from './response-fields.ts';
import type { FulcrumError } from '../base/errors.ts';
import type { GatewayParts } from './parts.ts';
import type { AnswerWriter } from './request-stream.ts';

/** What it came on: nothing follows the one answer. */
export interface Malformed {
  readonly writer: AnswerWriter;
  /** Sends what is written, and takes nothing more. */
  linger(): void;
}

/** Answers what is no request, or none that could be trusted: one problem document, and the end. */
export function refuseMalformed(parts: GatewayParts, on: Malformed, error: FulcrumError): void {
  const { writer } = on;
  if (error.code === 'internal') parts.logger.error({ err: error }, 'a request could not be read');
  const id = requestId();
  const problem = problemOf({ error, requestId: id, component: '-', dev: parts.dev });
  const bodyBytes = problem.body.length;
  const framing = { bodyBytes, sendsBody: true, minor: 1, closes: true, dated: false } as const;
  writer.begin(problem.status, linesOf(problem.fields), framing);
  writer.data(problem.body);
  writer.end();
  on.linger();
  parts.log.write(
    accessLine({
      atMs: parts.clock.nowMs(),
      component: '-',
      requestId: id,
      method: '-',
      path: '-',
      status: problem.status,
      waitedMs: 0,
      durationMs: 0,
      cold: false,
      bytesOut: problem.body.length,
      instance: null,
      revision: null,
      span: null,
      error,
    }),
  );
}
