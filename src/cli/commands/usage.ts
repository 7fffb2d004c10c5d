import type { UsageLine } from '../../model/usage-export.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { spanOf, type Moment } from '../moments.ts';
import { usageLines } from '../usage-lines.ts';
import { withReadingBar } from '../usage-progress.ts';
import { writeLines } from '../whole-text.ts';
import { withBar } from '../with-bar.ts';

export interface UsageOptions extends Target {
  readonly since?: Moment;
  readonly until?: Moment;
  readonly component?: string;
  readonly out?: string;
}

/** Writes an app's usage as lines of JSON, to a file that is there whole or not at all. */
export async function usage(options: UsageOptions): Promise<ExitCode> {
  const span = { ...spanOf(options), component: options.component ?? null, facts: true };
  const { out } = options;
  const connection = await connectToApp(options);
  const lines = usageLines(connection, span);
  if (out === undefined) {
    await writeLines(null, texts(lines));
    return EXIT.ok;
  }
  const count = await withBar((bar) => writeLines(out, texts(withReadingBar(lines, bar))));
  process.stderr.write(`${out}: ${count.toLocaleString('en-GB')} lines\n`);
  return EXIT.ok;
}

async function* texts(lines: AsyncIterable<UsageLine>): AsyncGenerator<string> {
  for await (const line of lines) yield JSON.stringify(line);
}
