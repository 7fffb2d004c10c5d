import { formatDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { InvocationKept } from '../../control/event-schemas.ts';
import type { ManualInvocation, ManualResult } from '../../control/port.ts';
import type { ThrownError } from '../../model/invocation.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { givenData, parseJson } from '../given-data.ts';
import { invocationEnd, printInvocation } from '../kept-invocation.ts';
import { print, printJson } from '../stdout.ts';
import { paint, printable, terminalWidth, wrap } from '../terminal.ts';

export interface InvokeOptions extends Target {
  readonly json?: boolean;
  readonly args?: string;
  readonly data?: string;
  readonly scheduled?: boolean;
  readonly event?: string;
  /** Has it kept and done later, and prints the id of its result. */
  readonly async?: boolean;
  /** Of `async`: until it is done. */
  readonly wait?: boolean;
}

export async function invoke(
  component: string,
  functionName: string | undefined,
  options: InvokeOptions,
): Promise<ExitCode> {
  const request = await invocationOf(functionName, options);
  if (options.wait === true && options.async !== true) {
    throw new FulcrumError('usage', '--wait is of --async; without, the command waits anyway.');
  }
  if (options.async === true && options.event !== undefined) {
    throw new FulcrumError(
      'usage',
      `An event is kept by publishing it: \`fulcrum events publish ${options.event}\`.`,
    );
  }
  const connection = await connectToApp(options);
  const { client, at } = connection;
  const path = at(`/components/${encodeURIComponent(component)}/invoke`);
  if (options.async === true) {
    const kept = await client.post<InvocationKept>(`${path}?async`, request);
    if (options.wait === true) return printInvocation(await invocationEnd(connection, kept.id), options);
    if (options.json) printJson(kept);
    else {
      print(kept.id);
      const next = `Kept. \`fulcrum invocations show ${kept.id}\` says what becomes of it.`;
      for (const line of wrap(next, terminalWidth()))
        process.stderr.write(`${paint('dim', line, process.stderr)}\n`);
    }
    return EXIT.ok;
  }
  const result = await client.post<ManualResult>(path, request);
  if (options.json) printJson(result);
  else printResult(result);
  return result.outcome === 'ok' ? EXIT.ok : EXIT.invocationFailed;
}

/** What the command line asks for. Throws `usage`. */
export async function invocationOf(
  functionName: string | undefined,
  options: Pick<InvokeOptions, 'args' | 'data' | 'event' | 'scheduled'>,
): Promise<ManualInvocation> {
  const kinds = [functionName !== undefined, options.scheduled === true, options.event !== undefined];
  if (kinds.filter(Boolean).length !== 1) {
    throw new FulcrumError(
      'usage',
      'Say what to invoke, and only one of it: a FUNCTION, --scheduled, or --event TYPE.',
    );
  }
  if (options.args !== undefined && (functionName === undefined || options.data !== undefined)) {
    throw new FulcrumError(
      'usage',
      '--args is the list of a FUNCTION’s arguments; --data its only one, or an event’s. Give one of the two.',
    );
  }
  if (options.scheduled) {
    if (options.data !== undefined) throw new FulcrumError('usage', '--scheduled takes no --data.');
    return { kind: 'scheduled' };
  }
  const data =
    options.data === undefined
      ? undefined
      : parseJson('--data', (await givenData(options.data)).toString('utf8'));
  if (options.event !== undefined) {
    return { kind: 'queue', messages: [{ type: options.event, data: data ?? null }] };
  }
  if (data !== undefined) return { kind: 'call', function: functionName!, args: [data] };
  const args = options.args === undefined ? [] : parseJson('--args', options.args);
  if (!Array.isArray(args)) {
    throw new FulcrumError(
      'usage',
      '--args is a JSON list of the arguments, such as \'["A-1", 2]\'. For one argument there is --data.',
    );
  }
  return { kind: 'call', function: functionName!, args };
}

/** The value alone on stdout, so that it can be piped; how it went on stderr. */
function printResult(result: ManualResult): void {
  if (result.outcome === 'ok') {
    if (result.value !== undefined) print(JSON.stringify(result.value, null, 2));
  } else if (result.thrown) {
    process.stderr.write(`${printable(thrownText(result.thrown))}\n`);
  } else if (result.error) {
    process.stderr.write(
      `${paint('red', `error ${result.error.code}:`, process.stderr)} ${printable(result.error.message)}\n`,
    );
  }
  const parts = [
    `${result.outcome} in ${formatDuration(result.durationMs)}`,
    ...(result.cold ? ['cold'] : []),
    `billed ${result.billedMs} ms`,
    result.requestId,
  ];
  const colour = result.outcome === 'ok' ? 'dim' : 'red';
  process.stderr.write(`${paint(colour, parts.join(' · '), process.stderr)}\n`);
}

function thrownText(thrown: ThrownError): string {
  const own = thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  return thrown.cause === null ? own : `${own}\nCaused by: ${thrownText(thrown.cause)}`;
}
