import { Option, type Command } from 'commander';
import { WORK_STATES } from '../control/work-states.ts';
import type { ExitCode } from './exit-codes.ts';
import { appOption, examples, jsonOption, numberIn, urlOption } from './options.ts';

const MOST_LISTED = 1_000;

/** `fulcrum events …` and `fulcrum invocations …`: what is kept to be done, and what became of it. */
export function addEventsCommands(program: Command, done: (code: ExitCode) => void): void {
  const events = program
    .command('events')
    .description('what is kept to be done: list it, publish, and deal with what failed')
    .addHelpText(
      'after',
      examples(
        'fulcrum events ls --state dead',
        'fulcrum events publish order.paid --data @order.json',
        'fulcrum events retry --component receipts',
      ),
    );

  withFilter(
    events
      .command('ls')
      .description('list events, ticks and asynchronous invocations that are not done, newest first'),
  )
    .option('-n, --lines <N>', 'the latest so many', numberIn(1, MOST_LISTED), 20)
    .option('--before <CURSOR>', 'those before that, as the last page said')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('fulcrum events ls', 'fulcrum events ls --state dead --component receipts'),
    )
    .action(async (options) => done(await (await import('./commands/events.ts')).listEvents(options)));

  events
    .command('show')
    .description('show one: for each component its state, and each attempt that failed')
    .argument('<ID>', 'as `ls` and `publish` print it')
    .option('--payload', 'what it carries, too; needs a token of scope admin, or the server’s own user')
    .option('--out <FILE>', 'write what it carries as it is, to a new file or to - (standard output)')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum events show e_5x0c…', 'fulcrum events show e_5x0c… --payload'))
    .action(async (id, options) => done(await (await import('./commands/events.ts')).showEvent(id, options)));

  events
    .command('publish')
    .description('publish an event; its id is printed once it is kept')
    .argument('<TYPE>', 'such as order.paid')
    .option('--data <JSON>', 'what it carries; @FILE or @- reads it')
    .option('--content-type <TYPE>', 'of data that is no JSON, such as image/png')
    .option('--key <KEY>', 'events of one key are delivered in order')
    .option('--delay <DURATION>', 'not before that has passed: 30s, 2h, …')
    .option('--dedupe <KEY>', 'not where one of this key was published just before')
    .option('--subject <TEXT>', 'what it is about')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        `fulcrum events publish order.paid --data '{"order": "o-1"}' --key o-1`,
        'fulcrum events publish cart.abandoned --data @cart.json --delay 2h',
        'fulcrum events publish photo.taken --data @photo.png --content-type image/png',
      ),
    )
    .action(async (type, options) =>
      done(await (await import('./commands/events.ts')).publishEvent(type, options)),
    );

  withWhich(
    events.command('retry').description('have what is dead delivered again now, with all its attempts'),
  )
    .addOption(dryRunOption())
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nBy id, or with --state ready, also what waits for its next attempt.\n${examples(
        'fulcrum events retry e_5x0c…',
        'fulcrum events retry --component receipts --dry-run',
      )()}`,
    )
    .action(async (ids, options) =>
      done(await (await import('./commands/event-changes.ts')).retryEvents(ids, options)),
    );

  withWhich(events.command('drop').description('forget some for good; what is being worked on stays'))
    .addOption(dryRunOption())
    .option('--yes', 'do not ask')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('fulcrum events drop e_5x0c…', 'fulcrum events drop --type order.test --state dead --yes'),
    )
    .action(async (ids, options) =>
      done(await (await import('./commands/event-changes.ts')).dropEvents(ids, options)),
    );

  withWhich(
    events
      .command('redrive')
      .description('give what is dead or unmatched, or was left by a component, to another one'),
  )
    .requiredOption('--to <COMPONENT>', 'who gets them; it must take events')
    .addOption(dryRunOption())
    .option('--yes', 'do not ask')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum events redrive --state unmatched --to receipts --dry-run',
        'fulcrum events redrive --component bills --to receipts --yes',
      ),
    )
    .action(async (ids, options) =>
      done(await (await import('./commands/event-changes.ts')).redriveEvents(ids, options)),
    );

  addInvocations(program, done);
}

function addInvocations(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('invocations')
    .description('look at what `fulcrum invoke --async` began')
    .addHelpText('after', examples('fulcrum invocations show a_5x0c… --wait'))
    .command('show')
    .description('show what became of one: its result alone on standard output')
    .argument('<ID>', 'as `fulcrum invoke --async` printed it')
    .option('--wait', 'until it is done')
    .option('--out <FILE>', 'write its result as it is, to a new file or to - (standard output)')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum invocations show a_5x0c…',
        'fulcrum invocations show a_5x0c… --wait --out report.pdf',
      ),
    )
    .action(async (id, options) =>
      done(await (await import('./commands/invocations.ts')).showInvocation(id, options)),
    );
}

function withFilter(command: Command): Command {
  return command
    .option('--component <NAME>', 'only those for it')
    .option('--type <TYPE>', 'only this one, such as order.paid')
    .addOption(new Option('--state <STATE>', 'only those that are').choices(WORK_STATES))
    .option('--key <KEY>', 'only those of this key');
}

function withWhich(command: Command): Command {
  return withFilter(command.argument('[ID...]', 'which ones; else by the options')).option(
    '--all',
    'whatever there is, without any filter',
  );
}

function dryRunOption(): Option {
  return new Option('--dry-run', 'only say how many it would be');
}
