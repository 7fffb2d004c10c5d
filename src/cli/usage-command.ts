import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { moment } from './moments.ts';
import { appOption, examples, urlOption } from './options.ts';

/** `fulcrum usage`: what was counted, to be kept or read elsewhere. */
export function addUsageCommand(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('usage')
    .description('write what was counted of an app as lines of JSON: what bills and replays are made of')
    .option('--since <WHEN>', 'from so long ago, or from a date in UTC (30d)', moment)
    .option('--until <WHEN>', 'up to then (now)', moment)
    .option('--component <NAME>', 'only its minutes and arrivals')
    .option('--out <FILE>', 'to this file, which is there whole or not at all (else standard output)')
    .addOption(appOption())
    .addOption(urlOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum usage --out shop.jsonl',
        'fulcrum usage --since 2026-11-01 --until 2026-12-01 > november.jsonl',
        'fulcrum simulate shop.jsonl',
      ),
    )
    .action(async (options) => done(await (await import('./commands/usage.ts')).usage(options)));
}
