import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { addNewOptions } from './interview-options.ts';
import { moment } from './moments.ts';
import { appOption, collect, examples, jsonOption, numberIn, urlOption } from './options.ts';
import { duration, format, memory, share, twoQuantiles } from './simulate-options.ts';

/** `fulcrum advise`: function or service, with the evidence. */
export function addAdviseCommand(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('advise')
    .description('function or service? From what an app’s components did, or from a trace, with reasons')
    .argument(
      '[COMPONENT]',
      'one of them, or a group: all that speaks for and against (else a line for each)',
    )
    .option(
      '--slo-p99 <DURATION>',
      'what 99 % of its invocations may take (else as the config says)',
      duration,
    )
    .option('--since <WHEN>', 'usage from so long ago, or from a date in UTC (14d)', moment)
    .option('--trace <FILE>', 'not what a server counted, but a trace (may be given again)', collect)
    .option('--format <NAME>', 'of the trace (else what its files are like)', format)
    .option('--memory <SIZE>', 'where the trace does not tell (128MB)', memory)
    .option('--duration <P50[,P99]>', 'where the trace does not tell (100ms,1s)', twoQuantiles)
    .option('--cpu <SHARE>', 'of a duration: how much is computing, where the trace does not tell (1)', share)
    .option('--book <ID|FILE>', 'a price book instead of the config’s (may be given again)', collect)
    .option('--free-tier', "take the account's free tier off")
    .option('--without <LINE>', 'a bill line to leave out, such as gateway (may be given again)', collect)
    .option('--chart <FILE>', 'write what each mode costs over the rate as a picture (SVG)')
    .option(
      '--new',
      'of a component that is not there yet: asks some questions, or takes their answers as flags',
    )
    .option('--dry', 'only show what it would look at')
    .option('--seed <N>', 'of whatever is drawn by chance', numberIn(0, 2 ** 32 - 1), 1)
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption());
  addNewOptions(command)
    .addHelpText(
      'after',
      examples(
        'fulcrum advise',
        'fulcrum advise checkout --slo-p99 200ms --chart checkout.svg',
        'fulcrum advise --since 30d --book aws-lambda-arm --book aws-fargate-arm',
        'fulcrum advise --trace access.log --memory 256MB --cpu 30%',
        'fulcrum advise --new',
        'fulcrum advise --new --trigger http --rate 20/s --duration 120ms,500ms',
      ),
    )
    .action(async (component: string | undefined, options) =>
      done(await (await import('./commands/advise.ts')).advise(component ?? null, options)),
    );
}
