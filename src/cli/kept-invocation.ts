import { setTimeout as pause } from 'node:timers/promises';
import { formatDuration } from '../base/duration.ts';
import type { KeptInvocation } from '../control/event-schemas.ts';
import type { AppConnection } from './connect.ts';
import { contentText, writeContent } from './content-text.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { print, printJson } from './stdout.ts';
import { paint, printable, printableLine } from './terminal.ts';
import { relativeTime } from './when.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export interface InvocationPrint {
  readonly json?: boolean;
  readonly out?: string;
}

/** What became of an invocation so far. Rejects with `not-found`. */
export function keptInvocation({ client, at }: AppConnection, id: string): Promise<KeptInvocation> {
  return client.get<KeptInvocation>(at(`/invocations/${encodeURIComponent(id)}`));
}

/** The same once it is over, however long that takes; asked again and again, less often with time. */
export async function invocationEnd(connection: AppConnection, id: string): Promise<KeptInvocation> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const found = await keptInvocation(connection, id);
    if (found.state !== 'waiting') return found;
    await pause(pauseMs);
  }
}

/** What it returned alone on stdout, so that it can be piped; how it went on stderr. */
export async function printInvocation(kept: KeptInvocation, options: InvocationPrint): Promise<ExitCode> {
  const { result } = kept;
  if (options.out !== undefined && result !== null) await writeContent(result.value, options.out);
  if (options.json) printJson(kept);
  else {
    if (result !== null && options.out === undefined) {
      const text = contentText(result.value);
      if (text !== '') print(text);
    }
    for (const line of howItWent(kept, Date.now())) process.stderr.write(`${line}\n`);
  }
  return kept.state === 'failed' ? EXIT.invocationFailed : EXIT.ok;
}

function howItWent(kept: KeptInvocation, nowMs: number): string[] {
  const { result, createdAtMs, endedAtMs, forgetAtMs, state } = kept;
  const what = printableLine(`${kept.component} ${kept.type}`);
  if (result === null || endedAtMs === null) {
    const asked = `${what} · waits · asked for ${relativeTime(createdAtMs, nowMs)}`;
    const more = `\`fulcrum events show ${kept.id}\` has its attempts.`;
    return [paint('dim', asked, process.stderr), paint('dim', more, process.stderr)];
  }
  const parts = [
    what,
    ...(result.status === null ? [] : [`status ${result.status}`]),
    `${result.outcome} after ${formatDuration(endedAtMs - createdAtMs)}`,
    `forgotten ${relativeTime(forgetAtMs, nowMs)}`,
  ];
  const colour = state === 'failed' ? 'red' : 'dim';
  return [
    ...(result.error === null
      ? []
      : [
          `${paint('red', `error ${result.error.code}:`, process.stderr)} ${printable(result.error.message)}`,
        ]),
    paint(colour, parts.join(' · '), process.stderr),
  ];
}
