import { FulcrumError } from '../../base/errors.ts';
import type { EventsChanged } from '../../control/event-schemas.ts';
import { connectToApp, type AppConnection, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { printableLine, terminalWidth, wrap } from '../terminal.ts';
import { countText } from '../work-lines.ts';

export interface ChangeOptions extends Target {
  readonly component?: string;
  readonly type?: string;
  readonly state?: string;
  readonly key?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** As the server takes it. */
interface Which {
  readonly ids?: readonly string[];
  readonly component?: string;
  readonly type?: string;
  readonly state?: string;
  readonly key?: string;
  readonly all?: true;
}

export async function retryEvents(ids: readonly string[], options: ChangeOptions): Promise<ExitCode> {
  const which = whichOf(ids, options);
  const connection = await connectToApp(options);
  const dryRun = options.dryRun === true;
  const done = await change(connection, 'retry', { ...which, dryRun });
  const what = whatText(done, connection, which);
  return tell(
    done,
    options,
    dryRun ? `Would retry ${what}.` : `Retrying ${what}, with attempts counted anew.`,
    ids,
  );
}

export async function dropEvents(ids: readonly string[], options: ChangeOptions): Promise<ExitCode> {
  const which = whichOf(ids, options);
  const connection = await connectToApp(options);
  const planned = await change(connection, 'drop', { ...which, dryRun: true });
  const what = whatText(planned, connection, which);
  if (options.dryRun === true || planned.count === 0) {
    return tell(planned, options, `Would forget ${what}, for good.`, ids);
  }
  if (options.yes !== true) await confirm(`This forgets ${what}, for good.`);
  const done = await change(connection, 'drop', which);
  return tell(done, options, `Forgot ${whatText(done, connection, which)}.`, ids);
}

export async function redriveEvents(
  ids: readonly string[],
  options: ChangeOptions & { readonly to: string },
): Promise<ExitCode> {
  const { to } = options;
  const which = whichOf(ids, options);
  const connection = await connectToApp(options);
  const planned = await change(connection, 'redrive', { ...which, to, dryRun: true });
  const what = whatText(planned, connection, which);
  if (options.dryRun === true || planned.count === 0) {
    return tell(planned, options, `Would give ${what} to ${to}.`, ids);
  }
  if (options.yes !== true) await confirm(`This gives ${what} to ${to}.`);
  const done = await change(connection, 'redrive', { ...which, to });
  return tell(done, options, `Gave ${whatText(done, connection, which)} to ${to}.`, ids);
}

function change({ client, at }: AppConnection, action: string, body: object): Promise<EventsChanged> {
  return client.post<EventsChanged>(at(`/events/${action}`), body);
}

/** Throws `usage` where it says nothing, or more than all. */
function whichOf(ids: readonly string[], options: ChangeOptions): Which {
  const { component, type, state, key } = options;
  const which = {
    ...(ids.length === 0 ? {} : { ids }),
    ...(component === undefined ? {} : { component }),
    ...(type === undefined ? {} : { type }),
    ...(state === undefined ? {} : { state }),
    ...(key === undefined ? {} : { key }),
  };
  const filtered = Object.keys(which).length > 0;
  if (filtered && options.all !== true) return which;
  if (!filtered && options.all === true) return { all: true };
  throw new FulcrumError(
    'usage',
    filtered
      ? '--all is instead of ids and filters: leave one of the two out.'
      : 'Say which: their ids, --component, --type, --state or --key; or --all.',
  );
}

/** One that was named and is not there is a mistake; a filter that nothing matches is an answer. */
function tell(
  done: EventsChanged,
  options: ChangeOptions,
  sentence: string,
  ids: readonly string[],
): ExitCode {
  if (options.json) printJson(done);
  else say(done.count === 0 ? 'Nothing is there that it could be done to.' : sentence);
  return done.count === 0 && ids.length > 0 ? EXIT.failed : EXIT.ok;
}

async function confirm(what: string): Promise<void> {
  if (!process.stdin.isTTY) throw new FulcrumError('usage', `${what} Say --yes to mean it.`);
  const { confirm: ask, isCancel } = await import('@clack/prompts');
  const answer = await ask({ message: what, initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer) process.exit(EXIT.interrupted);
}

/** How many, of which app, and what they were chosen by, in brackets. */
function whatText(
  { count, dryRun }: EventsChanged,
  { app }: AppConnection,
  { component, type, state, key }: Which,
): string {
  const parts = Object.entries({ component, type, state, key }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${printableLine(value)}`],
  );
  const which = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  return `${dryRun ? countText(count) : count.toLocaleString('en-GB')} ${count === 1 ? 'event' : 'events'} of ${app}${which}`;
}

function say(text: string): void {
  for (const line of wrap(text, terminalWidth())) print(line);
}
