import type { IncomingHttpHeaders } from 'node:http';
import type { CancelSignal } from '../../base/cancel.ts';
import { FulcrumError } from '../../base/errors.ts';
import { acceptedCodings } from './accept-encoding.ts';
import { readRange } from './byte-range.ts';
import { contentTypeOf } from './content-type.ts';
import { readFilePath } from './file-path.ts';
import { openInside } from './open-inside.ts';
import { sendFile } from './send-file.ts';
import { isNotModified, mayAnswerPart, validatorsOf } from './validators.ts';
import type { ResponseSink } from '../../model/http.ts';
import type { FilePath } from './file-path.ts';
import type { Opened } from './open-inside.ts';

export interface StaticRequest {
  readonly method: string;
  /** Percent-encoded, from the folder's root on; empty, or begins with a slash. */
  readonly path: string;
  /** The path as the client asked for it, for redirects. */
  readonly fullPath: string;
  /** Empty, or begins with `?`. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** Why there is no file to send, and what the answer must carry besides. */
export interface StaticRefusal {
  readonly error: FulcrumError;
  readonly fields: readonly string[];
}

/** A file to be sent: `coding` names the compressed sibling that is sent in its place. */
interface Choice extends Opened {
  readonly coding: string | null;
}

/** A folder of files over HTTP: GET and HEAD, conditional requests, single ranges, compressed siblings. */
export class StaticSite {
  readonly #directory: string;
  readonly #cacheControl: string;

  constructor(directory: string, cacheControl: string) {
    this.#directory = directory;
    this.#cacheControl = cacheControl;
  }

  /**
   * Answers `request` into `sink`. Resolves with a refusal where `sink` was left untouched and the caller owes the
   * client a problem document. Rejects where the file system fails in a way that only the operator can mend.
   */
  async serve(
    request: StaticRequest,
    sink: ResponseSink,
    signal: CancelSignal,
  ): Promise<StaticRefusal | null> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return wrongMethod(request.method);
    const path = readFilePath(request.path);
    if (path === null) return noFile();
    const opened = await openInside(this.#directory, path.segments);
    if (opened === null) return noFile();
    if (opened.stats.isDirectory()) {
      await opened.handle.close();
      if (!path.folder) return redirect(request, sink);
      return this.#serveFile(request, [...path.segments, 'index.html'], null, sink, signal);
    }
    if (path.folder) {
      await opened.handle.close();
      return noFile();
    }
    return this.#serveFile(request, path.segments, opened, sink, signal);
  }

  async #serveFile(
    request: StaticRequest,
    segments: FilePath['segments'],
    known: Opened | null,
    sink: ResponseSink,
    signal: CancelSignal,
  ): Promise<StaticRefusal | null> {
    const plain = known ?? (await openInside(this.#directory, segments));
    if (plain === null) return noFile();
    let choice: Choice = { ...plain, coding: null };
    try {
      if (!plain.stats.isFile()) return noFile();
      const { type, compressible } = contentTypeOf(segments.at(-1) ?? '');
      if (compressible) {
        const sibling = await this.#sibling(segments, request.headers['accept-encoding']);
        if (sibling !== null) {
          await plain.handle.close();
          choice = sibling;
        }
      }
      return await this.#send(request, choice, type, compressible, sink, signal);
    } finally {
      await choice.handle.close();
    }
  }

  /** The compressed sibling that the client would rather have; null where there is none. */
  async #sibling(
    segments: readonly string[],
    accepts: string | string[] | undefined,
  ): Promise<Choice | null> {
    for (const { name, extension } of acceptedCodings(accepts?.toString())) {
      const opened = await openInside(this.#directory, [
        ...segments.slice(0, -1),
        segments.at(-1)! + extension,
      ]);
      if (opened === null) continue;
      if (opened.stats.isFile()) return { ...opened, coding: name };
      await opened.handle.close();
    }
    return null;
  }

  async #send(
    request: StaticRequest,
    { handle, stats, coding }: Choice,
    type: string,
    compressible: boolean,
    sink: ResponseSink,
    signal: CancelSignal,
  ): Promise<StaticRefusal | null> {
    const { headers, method } = request;
    const sizeBytes = Number(stats.size);
    const validators = validatorsOf(stats.size, stats.mtimeNs, coding);
    const fields = [
      'ETag',
      validators.etag,
      'Last-Modified',
      new Date(validators.modifiedMs).toUTCString(),
      'Cache-Control',
      this.#cacheControl,
      ...(compressible ? ['Vary', 'Accept-Encoding'] : []),
    ];
    if (isNotModified(headers, validators)) {
      sink.head({ status: 304, headers: fields });
      sink.end();
      return null;
    }
    const wanted =
      method === 'GET' && headers.range !== undefined && mayAnswerPart(headers, validators)
        ? readRange(headers.range, sizeBytes)
        : 'whole';
    if (wanted === 'unsatisfiable') return wrongRange(sizeBytes);
    const { first, last } = wanted === 'whole' ? { first: 0, last: sizeBytes - 1 } : wanted;
    fields.push(
      'Content-Type',
      type,
      'Content-Length',
      String(last - first + 1),
      'Accept-Ranges',
      'bytes',
      'X-Content-Type-Options',
      'nosniff',
    );
    if (coding !== null) fields.push('Content-Encoding', coding);
    if (wanted !== 'whole') fields.push('Content-Range', `bytes ${first}-${last}/${sizeBytes}`);
    sink.head({ status: wanted === 'whole' ? 200 : 206, headers: fields });
    if (method === 'GET') await sendFile(handle, first, last - first + 1, sink, signal);
    sink.end();
    return null;
  }
}

function redirect({ fullPath, query }: StaticRequest, sink: ResponseSink): StaticRefusal | null {
  // `//host/` in a Location would lead to another server.
  if (fullPath.startsWith('//')) return noFile();
  const headers = ['Location', `${fullPath}/${query}`, 'Content-Length', '0', 'Cache-Control', 'no-cache'];
  sink.head({ status: 308, headers });
  sink.end();
  return null;
}

function noFile(): StaticRefusal {
  return { error: new FulcrumError('not-found', 'There is no file at this path.'), fields: [] };
}

function wrongMethod(method: string): StaticRefusal {
  return {
    error: new FulcrumError('method-not-allowed', `Files are read with GET or HEAD, not ${method}.`),
    fields: ['Allow', 'GET, HEAD'],
  };
}

function wrongRange(sizeBytes: number): StaticRefusal {
  return {
    error: new FulcrumError('range-not-satisfiable', `The file has ${sizeBytes} bytes.`),
    fields: ['Content-Range', `bytes */${sizeBytes}`],
  };
}
