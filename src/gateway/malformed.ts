import { FulcrumError } from '../base/errors.ts';
import { requestId } from '../base/ids.ts';
import { accessLine } from './access-line.ts';
import { problemOf, problemText } from './problem.ts';
import type { Connection } from './connection.ts';
import type { GatewayParts } from './parts.ts';

/** What Node's parser, its timers or the socket itself said. */
export type ClientError = Error & { readonly code?: string };

/** Answers what is no HTTP request, or none yet, as far as the connection can still carry an answer; then ends it. */
export function refuseMalformed(parts: GatewayParts, connection: Connection, cause: ClientError): void {
  const { socket } = connection;
  if (connection.state === 'lingering' || connection.state === 'gone') return;
  const code = cause.code ?? '';
  // The socket failed or ended in the middle, or the client opened it ahead of need: there is nobody to answer.
  if (!isAboutRequest(code) || !socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  const error = errorFor(code, parts, cause);
  const { latest } = connection;
  if (latest !== null) {
    // What came before is sound and gets its answer; what is broken comes after it and gets none.
    connection.close();
    latest.broken(error);
    return;
  }
  answerAndClose(parts, connection, error);
}

/** For a connection that carries no exchange: one problem document, and the end. */
function answerAndClose(parts: GatewayParts, connection: Connection, error: FulcrumError): void {
  const id = requestId();
  const problem = problemOf({ error, requestId: id, component: '-', dev: parts.dev });
  connection.socket.write(problemText(problem, false));
  connection.linger();
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
      error,
    }),
  );
}

function isAboutRequest(code: string): boolean {
  return (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
}

function errorFor(code: string, { limits }: GatewayParts, cause: ClientError): FulcrumError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new FulcrumError(
        'headers-too-large',
        `A request's header may have ${limits.headerBytes} bytes at most.`,
        { cause },
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new FulcrumError('body-too-large', 'The chunk extensions are too large.', { cause });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new FulcrumError('body-timeout', 'The request header did not arrive in time.', { cause });
    default:
      return new FulcrumError('bad-request', 'What arrived is no valid HTTP/1.1 request.', { cause });
  }
}
