import { isFault, parseUsageLine } from '../advisor/own/usage-line.ts';
import { traceInvalid } from '../advisor/traffic/bad-rows.ts';
import { fileLines } from '../advisor/traffic/file-lines.ts';
import type { UsageLine } from '../model/usage-export.ts';

/** The lines of a file of exported usage (`fulcrum usage --out`). Throws `trace-invalid` at the first that is none: advice from a part would mislead. */
export async function* ownLines(path: string): AsyncGenerator<UsageLine> {
  for await (const { lines, firstLine } of fileLines(path)) {
    for (const [i, text] of lines.entries()) {
      if (text.trim() === '') continue;
      const line = parseUsageLine(text.replace(/^\uFEFF/, ''));
      if (isFault(line)) throw traceInvalid({ file: path, line: firstLine + i, ...line });
      yield line;
    }
  }
}
