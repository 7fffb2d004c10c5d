import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logNormalOf } from '../durations.ts';
import type { ImportOptions } from '../import-trace.ts';

/** A folder of trace files that a test makes; gone with `end`. */
export class TraceFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'fulcrum-traces-'));

  write(name: string, content: string | Uint8Array | readonly string[]): string {
    const path = join(this.path, name);
    writeFileSync(
      path,
      Array.isArray(content) ? `${content.join('\n')}\n` : (content as string | Uint8Array),
    );
    return path;
  }

  end(): void {
    rmSync(this.path, { recursive: true });
  }
}

export function importOptions(o: Partial<ImportOptions> = {}): ImportOptions {
  return {
    format: null,
    strict: false,
    seed: 1,
    durations: { distribution: logNormalOf(100, 1_000), text: 'p50 100ms, p99 1s' },
    pathSegments: 0,
    ...o,
  };
}
