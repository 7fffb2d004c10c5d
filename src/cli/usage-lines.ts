import { FulcrumError } from '../base/errors.ts';
import type { UsageLine, UsageSpan } from '../model/usage-export.ts';
import type { AppConnection } from './connect.ts';

/**
 * An app's usage from its server, line by line, the end included. Rejects with `server-unreachable` where it was cut short, and whatever the
 * server refuses it with.
 */
export async function* usageLines(
  { client, at }: Pick<AppConnection, 'client' | 'at'>,
  { fromMs, toMs, component, facts }: UsageSpan,
): AsyncGenerator<UsageLine> {
  const query = new URLSearchParams({ from: String(fromMs), to: String(toMs), facts: String(facts) });
  if (component !== null) query.set('component', component);
  let before = 0;
  for await (const line of client.lines<UsageLine>(at(`/usage?${query.toString()}`))) {
    yield line;
    if (line.kind === 'end' && line.lines === before) return;
    before++;
  }
  throw new FulcrumError(
    'server-unreachable',
    `The usage was cut short after ${before.toLocaleString('en-GB')} lines. Ask again; the server's log says why it ended.`,
  );
}
