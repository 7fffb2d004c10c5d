import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import { RELEASE_LIMITS, type ReleaseLimits } from '../limits.ts';
import { IGNORE_FILE } from './ignore-rules.ts';
import type { FoundFile, PackProblem } from './found-file.ts';

const MOST_PROBLEMS = 20;
const MOST_FOLDERS = 5;

/** @throws FulcrumError `package-failed` that lists them (20 at most), where there are any. */
export function refuseProblems(problems: readonly PackProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ path, message }) => `  ${shown(path)} ${message}`);
  const more = problems.length > MOST_PROBLEMS ? [`  … and ${problems.length - MOST_PROBLEMS} more`] : [];
  throw new FulcrumError(
    'package-failed',
    [
      problems.length === 1 ? 'A file cannot go along:' : `${problems.length} files cannot go along:`,
      ...lines,
      ...more,
      `What the app does not need on the server belongs into ${IGNORE_FILE}.`,
    ].join('\n'),
    { details: { problems: problems.slice(0, MOST_PROBLEMS) } },
  );
}

/** @throws FulcrumError `package-failed` that names the largest folders, where there is more than a release may have. */
export function refuseExcess(files: readonly FoundFile[], limits: ReleaseLimits = RELEASE_LIMITS): void {
  const totalBytes = files.reduce((sum, file) => sum + sizeOf(file), 0);
  if (files.length <= limits.files && totalBytes <= limits.totalBytes) return;
  const byCount = totalBytes <= limits.totalBytes;
  const folders = [...Map.groupBy(files, folderOf)]
    .map(([folder, those]) => ({
      folder,
      count: those.length,
      bytes: those.reduce((sum, file) => sum + sizeOf(file), 0),
    }))
    .toSorted((a, b) => (byCount ? b.count - a.count : b.bytes - a.bytes))
    .slice(0, MOST_FOLDERS);
  const lines = folders.map(
    ({ folder, count, bytes }) =>
      `  ${folder}: ${count.toLocaleString('en-GB')} files, ${formatBytes(bytes)}`,
  );
  throw new FulcrumError(
    'package-failed',
    [
      `The app has ${files.length.toLocaleString('en-GB')} files of ${formatBytes(totalBytes)}; a release has at most ${limits.files.toLocaleString('en-GB')} and ${formatBytes(limits.totalBytes)}. The largest folders:`,
      ...lines,
      `What the app does not need on the server belongs into ${IGNORE_FILE}.`,
    ].join('\n'),
    { details: { files: files.length, totalBytes, folders } },
  );
}

function sizeOf(file: FoundFile): number {
  return file.kind === 'file' ? file.sizeBytes : 0;
}

/** The outermost folder; of packages the package. */
function folderOf({ path }: FoundFile): string {
  const names = path.split('/');
  if (names.length === 1) return '.';
  const modules = names.indexOf('node_modules');
  if (modules === -1) return names[0]!;
  return names.slice(0, modules + (names[modules + 1]?.startsWith('@') === true ? 3 : 2)).join('/');
}

/** A name may hold anything; on one line, and without what could take over a terminal. */
function shown(path: string): string {
  return /^[^\p{Cc}\p{Cs}\p{Bidi_Control}]*$/u.test(path)
    ? path
    : JSON.stringify(path).replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '?');
}
