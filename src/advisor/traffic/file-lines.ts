import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FulcrumError, messageOf } from '../../base/errors.ts';

/** Lines of one stretch of a file, without their ends. */
export interface LineBatch {
  readonly lines: readonly string[];
  /** Of the first, from 1. */
  readonly firstLine: number;
  /** Of the file, so far: as it lies on the disk. */
  readonly bytesRead: number;
}

const CHUNK_BYTES = 1 << 18;
/** What is longer is cut, and so found to be a bad row: a file without line ends must not fill the memory. */
const LONGEST_LINE = 1 << 20;

/**
 * A file's lines, a stretch at a time, so that a file of any size takes no memory; what is compressed with gzip is read as it was. Throws
 * `trace-invalid` where it cannot be read.
 */
export async function* fileLines(path: string): AsyncGenerator<LineBatch> {
  const zipped = await isZipped(path);
  const raw = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const stream = zipped ? pipeline(raw, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : raw;
  const decoder = new TextDecoder();
  let rest = '';
  let firstLine = 1;
  try {
    for await (const chunk of stream) {
      const text: string = rest + decoder.decode(chunk as Buffer, { stream: true });
      const lines = text.split('\n');
      rest = lines.pop()!;
      if (rest.length > LONGEST_LINE) rest = rest.slice(0, LONGEST_LINE);
      yield { lines: withoutReturns(lines), firstLine, bytesRead: raw.bytesRead };
      firstLine += lines.length;
    }
  } catch (cause) {
    throw cause instanceof FulcrumError ? cause : unreadable(path, cause);
  } finally {
    raw.destroy();
  }
  rest += decoder.decode();
  if (rest !== '') yield { lines: withoutReturns([rest]), firstLine, bytesRead: raw.bytesRead };
}

/** The first lines of a file: enough to see what it is. */
export async function firstLines(path: string, most: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of fileLines(path)) {
    lines.push(...batch.lines.slice(0, most - lines.length));
    if (lines.length >= most) break;
  }
  return lines;
}

function withoutReturns(lines: string[]): string[] {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.endsWith('\r')) lines[i] = line.slice(0, -1);
  }
  return lines;
}

async function isZipped(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    // What is no file, such as a pipe, would lose what is looked at.
    if (!(await file.stat()).isFile()) return false;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): FulcrumError {
  return new FulcrumError('trace-invalid', `${path} cannot be read: ${messageOf(cause)}.`, { cause });
}
