import { createWriteStream, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FulcrumError } from '../base/errors.ts';
import type { UsageLine } from '../model/usage-export.ts';
import { connectToApp, type AppConnection, type Target } from './connect.ts';
import { spanOf, type Moment } from './moments.ts';
import { usageLines } from './usage-lines.ts';
import { withReadingBar } from './usage-progress.ts';
import { withBar } from './with-bar.ts';

export interface OwnTraceOptions extends Target {
  readonly since?: Moment;
  readonly until?: Moment;
}

/**
 * A running app's own usage as a trace: `use` is given a file that only this user can read and that is gone afterwards, whatever happens. Rejects with
 * `usage` where nobody said which app and none runs, and with what the server refuses.
 */
export async function withOwnTrace<T>(
  options: OwnTraceOptions,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const span = spanOf(options);
  const connection = await connected(options);
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-usage-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Whoever interrupts it leaves nothing behind either.
  process.once('exit', remove);
  try {
    const path = join(folder, 'usage.jsonl');
    const lines = usageLines(connection, { ...span, component: null, facts: true });
    let counted = 0;
    const watched = watch(lines, ({ kind }) => (counted += kind === 'minute' ? 1 : 0));
    await withBar((bar) =>
      pipeline(Readable.from(texts(withReadingBar(watched, bar))), createWriteStream(path, { mode: 0o600 })),
    );
    if (counted === 0) {
      const [from, to] = [span.fromMs, span.toMs].map((atMs) => new Date(atMs).toISOString());
      throw new FulcrumError(
        'usage',
        `Nothing of ${connection.app} was used from ${from} to ${to}: there is nothing to replay.`,
      );
    }
    return await use(path);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

async function connected(options: OwnTraceOptions): Promise<AppConnection> {
  try {
    return await connectToApp(options);
  } catch (error) {
    const named = options.app !== undefined || options.url !== undefined;
    if (named || !(error instanceof FulcrumError) || error.code !== 'server-unreachable') throw error;
    throw new FulcrumError(
      'usage',
      'Give the files of a trace, or --generate. Without either a running app is asked for its own usage, and none was found. `fulcrum simulate --help` shows how.',
      { cause: error },
    );
  }
}

async function* watch<T>(items: AsyncIterable<T>, see: (item: T) => void): AsyncGenerator<T> {
  for await (const item of items) {
    see(item);
    yield item;
  }
}

async function* texts(lines: AsyncIterable<UsageLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
