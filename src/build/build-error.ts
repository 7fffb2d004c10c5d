import { readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';

import type { ErrorCode } from '../base/errors.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { codeFrame, type Place } from './code-frame.ts';

/** More errors than this are counted, not shown. */
const MAX_SHOWN = 10;

/** One thing that is wrong with the code. */
export interface Finding {
  readonly message: string;
  readonly place: Place | null;
  /** The bundler's own frame, for a place that cannot be read from disk. */
  readonly frame: string | null;
}

/** What a `build-failed` error carries in `details`. `file`, `line`, `column` and `frame` are those of the first error that has a place. */
export interface BuildErrorDetails {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly frame: string | null;
  readonly errors: readonly {
    readonly message: string;
    readonly file: string | null;
    readonly line: number | null;
    readonly column: number | null;
  }[];
  /** Files of which any change may mend the build; some do not exist yet. To be watched until it is mended. */
  readonly sources: readonly string[];
}

/** The parts of a bundler's error or log that are read here. */
export interface BundlerLog {
  readonly message?: string;
  readonly code?: string;
  readonly id?: string;
  readonly frame?: string;
  /** The module, or the specifier, that the error is about. */
  readonly exporter?: string;
  /** `column` counts from 0. */
  readonly loc?: { readonly file?: string; readonly line: number; readonly column: number };
}

/** Makes one error out of everything that is wrong, with paths told relative to `appDirectory`. */
export function buildError(
  findings: readonly Finding[],
  o: { code?: ErrorCode; appDirectory: string; sources: Iterable<string>; cause?: unknown },
): FulcrumError {
  const known = findings.map((finding) => ({ finding, frame: frameOf(finding) }));
  const blocks = known.slice(0, MAX_SHOWN).map(({ finding, frame }) => {
    const { place, message } = finding;
    const at =
      place === null ? '' : `${relative(o.appDirectory, place.file)}:${place.line}:${place.column}: `;
    return frame === null ? `${at}${message}` : `${at}${message}\n${frame}`;
  });
  if (known.length > MAX_SHOWN) blocks.push(`… and ${known.length - MAX_SHOWN} more`);
  const first = known.find(({ finding }) => finding.place !== null);
  const details: BuildErrorDetails = {
    file: first?.finding.place?.file ?? null,
    line: first?.finding.place?.line ?? null,
    column: first?.finding.place?.column ?? null,
    frame: first?.frame ?? null,
    errors: findings.slice(0, MAX_SHOWN).map(({ message, place }) => ({
      message,
      file: place?.file ?? null,
      line: place?.line ?? null,
      column: place?.column ?? null,
    })),
    sources: [...new Set(o.sources)],
  };
  return new FulcrumError(o.code ?? 'build-failed', blocks.join('\n\n'), {
    ...('cause' in o ? { cause: o.cause } : {}),
    details: { ...details },
  });
}

/** A bundler's error or log in our words: one line, places counted from 1. */
export function findingOf(log: BundlerLog): Finding {
  const file = log.loc?.file ?? log.id;
  const place =
    log.loc && file !== undefined && isAbsolute(file)
      ? { file, line: log.loc.line, column: log.loc.column + 1 }
      : null;
  return { message: plainMessage(log), place, frame: log.frame ?? null };
}

/** The bundler draws the place into its message; we keep the sentence and the note, and draw the place ourselves. */
function plainMessage(log: BundlerLog): string {
  const text = messageOf(log instanceof Error ? log : (log.message ?? 'The bundler failed')).replace(
    /^\[[A-Z_]+\] /,
    '',
  );
  const [sentence = '', ...rest] = text.split('\n');
  const note = rest
    .map((line) => /│\s*(?:Note|Help): (.*)$/.exec(line)?.[1])
    .find((found) => found !== undefined);
  const whole = log.loc === undefined && rest.length > 0 && log.code === undefined ? text : sentence;
  return note === undefined ? whole : `${whole} ${note}`;
}

function frameOf(finding: Finding): string | null {
  if (finding.place === null) return finding.frame;
  try {
    const frame = codeFrame(
      readFileSync(finding.place.file, 'utf8'),
      finding.place.line,
      finding.place.column,
    );
    return frame === '' ? finding.frame : frame;
  } catch {
    return finding.frame; // a virtual module, or a file that has gone meanwhile
  }
}
