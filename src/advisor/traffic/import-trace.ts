import { FulcrumError } from '../../base/errors.ts';
import { AzureTrace, azureKindOf } from './azure.ts';
import { badRowText, BadRows, traceInvalid, type BadRow } from './bad-rows.ts';
import { fileLines, firstLines } from './file-lines.ts';
import { READERS, type Format } from './formats.ts';
import { findFiles, nameOf, type TraceFile } from './trace-files.ts';
import type { ReaderOptions, ReadTrace, Span, TracedFunction, TraceReader } from './traced.ts';

export interface ImportOptions extends ReaderOptions {
  /** Null: what the files are like. */
  readonly format: Format | null;
  /** The first bad row ends it. */
  readonly strict: boolean;
  /** Told now and then how much of all has been read. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface ImportedTrace {
  readonly format: Format;
  readonly span: Span;
  /** Those with arrivals, of which there is one at least; and those without whose settings are known. */
  readonly functions: readonly TracedFunction[];
  readonly arrivals: number;
  readonly badRows: number;
  /** The first of them. */
  readonly bad: readonly BadRow[];
  /** What is not in the trace and was assumed, as sentences. */
  readonly notes: readonly string[];
  /** Starts of instances that the trace tells of, in ms. */
  readonly startsMs: readonly number[];
}

/**
 * Reads a trace of any {@link Format}, file by file and line by line. Throws `trace-invalid` where a file cannot be read or is none of these, where
 * there is no arrival in any, and where a row is bad and `strict` is asked for.
 */
export async function importTrace(paths: readonly string[], options: ImportOptions): Promise<ImportedTrace> {
  const { format, files, left } = await findFiles(paths, options.format);
  const bad = new BadRows(options.strict);
  const trace =
    format === 'azure'
      ? await readAzure(files, bad, options)
      : await readLines(files, READERS[format](options), bad, options);
  // One whose settings are known is there although nobody asks: as a service it costs what it holds.
  const functions = trace.functions.filter(({ arrivals, models }) => arrivals > 0 || models !== undefined);
  if (functions.every(({ arrivals }) => arrivals === 0)) throw noArrivals(files, format, bad);
  const notes = [...trace.notes];
  if (left.length > 0) notes.push(`Left out, as no part of the trace: ${left.join(', ')}.`);
  return {
    format,
    span: {
      fromMs: functions.reduce((least, { span }) => Math.min(least, span.fromMs), Infinity),
      toMs: functions.reduce((most, { span }) => Math.max(most, span.toMs), -Infinity),
    },
    functions,
    arrivals: functions.reduce((sum, { arrivals }) => sum + arrivals, 0),
    badRows: bad.count,
    bad: bad.first,
    notes,
    startsMs: trace.startsMs,
  };
}

async function readLines(
  files: readonly TraceFile[],
  reader: TraceReader,
  bad: BadRows,
  { onProgress }: ImportOptions,
): Promise<ReadTrace> {
  const progress = new ReadProgress(files, onProgress);
  for (const { path } of files) {
    reader.begin(nameOf(path));
    for await (const { lines, firstLine, bytesRead } of fileLines(path)) {
      for (let i = 0; i < lines.length; i++) {
        const fault = reader.read(lines[i]!);
        if (fault !== null) bad.add(path, firstLine + i, fault);
      }
      progress.at(path, bytesRead);
    }
  }
  return reader.finish();
}

async function readAzure(
  files: readonly TraceFile[],
  bad: BadRows,
  options: ImportOptions,
): Promise<ReadTrace> {
  const trace = new AzureTrace(options);
  const progress = new ReadProgress(files, options.onProgress);
  let invocations = false;
  for (const { path } of files) {
    invocations ||= azureKindOf((await firstLines(path, 1))[0] ?? '') === 'invocations';
    for await (const { lines, firstLine, bytesRead } of fileLines(path)) {
      for (let i = 0; i < lines.length; i++) {
        const line = firstLine + i;
        if (line === 1) {
          const fault = trace.begin(lines[i]!);
          // Without its head nothing of a file can be told.
          if (fault !== null) throw traceInvalid({ file: path, line, ...fault });
          continue;
        }
        const fault = trace.read(lines[i]!);
        if (fault !== null) bad.add(path, line, fault);
      }
      progress.at(path, bytesRead);
    }
  }
  if (!invocations) {
    throw new FulcrumError(
      'trace-invalid',
      `${files.map(({ path }) => path).join(', ')}: of the Azure Functions trace the file with the invocations by minute is missing (HashOwner,HashApp,HashFunction,Trigger,1,2,…).`,
    );
  }
  return trace.finish();
}

function noArrivals(files: readonly TraceFile[], format: Format, bad: BadRows): FulcrumError {
  const [first] = bad.first;
  const where = files.map(({ path }) => path).join(', ');
  if (first === undefined) {
    return new FulcrumError('trace-invalid', `${where}: no arrivals were found, as format ${format}.`);
  }
  const rows =
    bad.count === 1 ? 'its only row is bad' : `all ${bad.count.toLocaleString('en-GB')} rows are bad`;
  return new FulcrumError(
    'trace-invalid',
    `${where}: no arrivals were found, as format ${format}; ${rows}: ${badRowText(first)}.`,
  );
}

/** How much of several files has been read. */
class ReadProgress {
  readonly #total: number;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #tell: ((doneBytes: number, totalBytes: number) => void) | undefined;
  #before = 0;
  #path: string | null = null;

  constructor(files: readonly TraceFile[], tell: ImportOptions['onProgress']) {
    this.#sizes = new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]));
    this.#total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#tell = tell;
  }

  at(path: string, bytesRead: number): void {
    if (this.#path !== path) {
      if (this.#path !== null) this.#before += this.#sizes.get(this.#path)!;
      this.#path = path;
    }
    this.#tell?.(this.#before + bytesRead, this.#total);
  }
}
