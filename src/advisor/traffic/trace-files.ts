import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import { firstLines } from './file-lines.ts';
import { FORMATS, formatOf, LINES_TO_TELL, type Format } from './formats.ts';

export interface TraceFile {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface FoundFiles {
  readonly format: Format;
  readonly files: readonly TraceFile[];
  /** Files of a folder that are of no use. */
  readonly left: readonly string[];
}

/**
 * The files that are meant by these paths, in the order given, those of a folder by name, and what they are. Of a folder that holds files of the Azure trace only those are taken.
 * Throws `trace-invalid` where a file is not there, or they are not of one format.
 */
export async function findFiles(paths: readonly string[], given: Format | null): Promise<FoundFiles> {
  const files: (TraceFile & { readonly format: Format | null; readonly ofFolder: boolean })[] = [];
  for (const path of paths) {
    const found = await filesAt(path);
    const ofFolder = found.length !== 1 || found[0]!.path !== path;
    for (const file of found) {
      files.push({
        ...file,
        ofFolder,
        format: given ?? formatOf(await firstLines(file.path, LINES_TO_TELL)),
      });
    }
  }
  const format =
    given ?? (files.some((file) => file.format === 'azure') ? 'azure' : (files[0]?.format ?? null));
  const taken = files.filter((file) => file.format === format || !(file.ofFolder && format === 'azure'));
  const other = taken.find((file) => file.format !== format);
  if (other?.format === null || format === null) {
    const { path } = other ?? files[0] ?? { path: paths.join(', ') };
    const [line = ''] = files.length === 0 ? [] : await firstLines(path, 1);
    throw new FulcrumError(
      'trace-invalid',
      `${path} is not like any trace that can be read: it begins with "${line.slice(0, 60)}". Expected one of ${FORMATS.join(', ')}; --format says which.`,
    );
  }
  if (other !== undefined) {
    throw new FulcrumError(
      'trace-invalid',
      `${taken.find((file) => file.format === format)!.path} is a trace of format ${format}, ${other.path} of ${other.format}; all must be of one format.`,
    );
  }
  const left = files.filter((file) => !taken.includes(file)).map(({ path }) => path);
  return { format, files: taken.map(({ path, sizeBytes }) => ({ path, sizeBytes })), left };
}

/** `access` of `logs/access.log.1.gz`. */
export function nameOf(path: string): string {
  const name = basename(path);
  return name.replace(/(?:\.(?:gz|\d+|log|csv|jsonl?|ndjson|txt))+$/i, '') || name;
}

async function filesAt(path: string): Promise<TraceFile[]> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return [{ path, sizeBytes: found.size }];
    const entries = await readdir(path, { withFileTypes: true });
    const names = entries
      .filter(
        (entry) =>
          entry.isFile() &&
          /\.(?:gz|\d+|log|csv|jsonl?|ndjson|txt)$/i.test(entry.name) &&
          !entry.name.startsWith('.'),
      )
      .map(({ name }) => name)
      .sort();
    return await Promise.all(
      names.map(async (name) => ({ path: join(path, name), sizeBytes: (await stat(join(path, name))).size })),
    );
  } catch (cause) {
    throw new FulcrumError('trace-invalid', `${path} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}
