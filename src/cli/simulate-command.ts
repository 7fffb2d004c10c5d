import { Option, type Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { moment } from './moments.ts';
import { appOption, collect, examples, jsonOption, numberIn, urlOption } from './options.ts';
import { duration, format, generatedTraffic, memory, share, twoQuantiles } from './simulate-options.ts';

/** `fulcrum simulate`: what traffic would cost and how long it would take in each mode. Needs a server only for an app's own usage. */
export function addSimulateCommand(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('simulate')
    .description(
      "replay a trace, or a running app's own usage, in both modes and price it: which is cheaper, and by how much",
    )
    .argument('[FILE...]', 'files or folders of one trace; may be gzipped (else the usage of a running app)')
    .option(
      '--format <NAME>',
      'access-log, arrivals, azure, cloudwatch, fulcrum, jsonl, series (else what the files are like)',
      format,
    )
    .option('--generate <SPEC>', 'no files but made-up traffic, such as diurnal:2/s:7d', generatedTraffic)
    .addOption(
      new Option('--mode <MODE>', 'this one alone').choices(['function', 'service', 'both']).default('both'),
    )
    .option('--book <ID|FILE>', 'a price book (may be given again); all: every one that comes along', collect)
    .option('--memory <SIZE>', 'of an instance (else as the trace tells, or 128MB)', memory)
    .option('--duration <P50[,P99]>', 'where the trace has none (100ms,1s)', twoQuantiles)
    .option('--cpu <SHARE>', 'of a duration: how much is computing, where the trace does not tell', share, 1)
    .option('--cold-start <P50[,P99]>', 'of a function (else as the trace tells, or 10ms,27ms)', twoQuantiles)
    .option(
      '--keep-alive <DURATION>',
      'how long an idle function instance stays (else as set, or 1s)',
      duration,
    )
    .option(
      '--concurrency <N>',
      'requests at a time of an instance and of a replica (else as set, or 1 and 100)',
      numberIn(1, 10_000),
    )
    .option(
      '--by-path <N>',
      'of access logs: so many segments of the path make a component',
      numberIn(1, 10),
      0,
    )
    .option('--provider-cpu', "stretch a function's CPU time as the provider's share of a processor asks for")
    .option('--free-tier', "take the account's free tier off")
    .option('--without <LINE>', 'a bill line to leave out, such as gateway (may be given again)', collect)
    .option('--since <WHEN>', "of an app's own usage: from so long ago, or from a date in UTC (30d)", moment)
    .option('--until <WHEN>', "of an app's own usage: up to then (now)", moment)
    .option('--explain', 'show the lines that each bill is made of')
    .option('--strict', 'end at the first bad row')
    .option('--seed <N>', 'of whatever is drawn by chance', numberIn(0, 2 ** 32 - 1), 1)
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum simulate --app shop --since 7d',
        'fulcrum simulate access.log',
        'fulcrum simulate access.log.*.gz --by-path 2 --memory 256MB --cpu 30%',
        'fulcrum simulate azure2019/ --book all',
        'fulcrum simulate requests.csv --duration 80ms,600ms --explain',
        'fulcrum simulate --generate diurnal:2/s:7d --book aws-lambda-arm',
      ),
    )
    .action(async (files, options) =>
      done(await (await import('./commands/simulate.ts')).simulate(files, options)),
    );
}
