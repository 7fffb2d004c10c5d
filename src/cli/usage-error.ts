import type { Command, CommanderError } from 'commander';
import { FulcrumError } from '../base/errors.ts';

/** What commander ends with after it has shown help or the version. */
const SHOWN = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version']);

/** Commander’s error as one of ours: what was wrong, the nearest word where there is one, and where to read on. Null where nothing was. */
export function usageError(error: CommanderError, command: Command): FulcrumError | null {
  if (SHOWN.has(error.code)) return null;
  const [sentence, ...more] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /^\(Did you mean (.+)\?\)$/.exec(more.at(-1) ?? '')?.[1];
  // Which arguments were too many is seen on the line itself; one may be a secret that should not have been on it.
  const counted = sentence!.replace(/^(too many arguments .* but got \d+).*$/i, '$1');
  const what = counted.charAt(0).toUpperCase() + counted.slice(1).replace(/\.$/, '');
  const names = pathOf(command);
  return new FulcrumError(
    'usage',
    [
      `${what}.`,
      ...(suggestion === undefined ? [] : [`Did you mean ${suggestion.replace(/^one of /, 'one of: ')}?`]),
      `\`${names} --help\` shows what there is.`,
    ].join(' '),
  );
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
