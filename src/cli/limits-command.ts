import { InvalidArgumentError, type Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { appOption, examples, jsonOption, urlOption } from './options.ts';

const MOST = 1_000_000;

/** `fulcrum limits`: what may be asked of a component, looked at and changed while it runs. */
export function addLimitsCommand(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('limits')
    .description('show or change what may be asked of a component, while it runs')
    .argument('<COMPONENT>', 'its name in the config')
    .option('--rps <N>', 'invocations per second; none: as many as anybody likes', limit(0.01))
    .option('--burst <N>', 'how many of them at once (else a second’s worth)', limit(1))
    .option('--per-client <N>', 'HTTP requests per second of each client; none', limit(0.01))
    .option('--per-client-burst <N>', 'how many of them at once (else a second’s worth)', limit(1))
    .option('--concurrency <N>', 'invocations that wait or are worked on at a time; none', limit(0))
    .option('--off', 'switch it off: everything is refused with 429')
    .option('--on', 'switch it on again; other limits stay as they are')
    .option('--reset', 'forget what was set by hand: the config’s own limits hold again')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum limits catalog',
        'fulcrum limits catalog --rps 50 --burst 100 --per-client 5',
        'fulcrum limits catalog --rps none',
        'fulcrum limits checkout --off',
        'fulcrum limits checkout --on',
      ),
    )
    .action(async (component, options) =>
      done(await (await import('./commands/limits.ts')).limits(component, options)),
    );
}

/** Reads a number from `min` to a million, a whole one where `min` is, or `none`. */
function limit(min: number): (text: string) => number | 'none' {
  return (text) => {
    if (text === 'none') return text;
    const value = Number(text);
    const form = Number.isInteger(min) ? /^\d+$/ : /^\d+(?:\.\d+)?$/;
    if (form.test(text) && value >= min && value <= MOST) return value;
    throw new InvalidArgumentError(`It is a number from ${min} to ${MOST}, or none.`);
  };
}
