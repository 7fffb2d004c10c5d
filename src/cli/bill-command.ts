import { Option, type Command } from 'commander';
import { machineSaid } from './bill-options.ts';
import type { ExitCode } from './exit-codes.ts';
import { moment } from './moments.ts';
import { appOption, collect, examples, jsonOption, numberIn, urlOption } from './options.ts';

/** `fulcrum bill`: what was used, and what that cost or would have cost. */
export function addBillCommand(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('bill')
    .description('show what an app used, what that cost as it ran, and what it would cost in each mode')
    .option('--book <ID|FILE>', 'a price book (may be given again); all: every one that comes along', collect)
    .option('--since <WHEN>', 'from so long ago, or from a date in UTC (30d)', moment)
    .option('--until <WHEN>', 'up to then (now)', moment)
    .addOption(
      new Option('--by <WHAT>', 'a row for each').choices(['component', 'day', 'app']).default('component'),
    )
    .option('--free-tier', "take the account's free tier off")
    .option('--without <LINE>', 'a line to leave out, such as gateway (may be given again)', collect)
    .option(
      '--machine <PRICE>',
      'a machine of your own, and its vCPUs and GB: 40/month,4,8 (else as large as this one)',
      machineSaid,
    )
    .option('--lines', 'show the lines that each bill is made of')
    .option('--focus <FILE>', 'write every line of every day as FinOps FOCUS columns, as CSV; -: print it')
    .option('--seed <N>', 'of whatever a replay draws by chance', numberIn(0, 2 ** 32 - 1), 1)
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum bill',
        'fulcrum bill --since 2026-11-01 --until 2026-12-01 --by day',
        'fulcrum bill --book all --machine 40/month,4,8 --lines',
        'fulcrum bill --without gateway --without load-balancer --json',
        'fulcrum bill --focus november.csv --since 2026-11-01',
      ),
    )
    .action(async (options) => done(await (await import('./commands/bill.ts')).bill(options)));
}
