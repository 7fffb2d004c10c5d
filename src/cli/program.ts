import { Command, InvalidArgumentError, type CommanderError } from 'commander';
import { addAdviseCommand } from './advise-command.ts';
import { addBillCommand } from './bill-command.ts';
import { addBooksCommands } from './books-command.ts';
import { addBudgetOptions, type BudgetFlags } from './budget-flags.ts';
import { addEventsCommands } from './events-command.ts';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.ts';
import { addLimitsCommand } from './limits-command.ts';
import { appOption, collect, examples, jsonOption, MAX_LOG_LINES, numberIn, urlOption } from './options.ts';
import { addServeCommands } from './serve-command.ts';
import { addServerCommands } from './server-commands.ts';
import { addSimulateCommand } from './simulate-command.ts';
import { addStoreCommands } from './store-commands.ts';
import { paint, terminalWidth } from './terminal.ts';
import { addUsageCommand } from './usage-command.ts';
import { usageError } from './usage-error.ts';
import { packageVersion } from '../base/version.ts';

const HELP_WIDTH = 100;

/**
 * Reads the command line and runs what it asks for. What a command needs is loaded when it is that command.
 * Throws FulcrumError: `usage` where the line was not understood, else whatever the command ended with.
 */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = buildProgram((done) => {
    code = done;
  });
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof Shown) return EXIT.ok;
    throw error;
  }
  return code;
}

/** Help or the version was shown, and there is nothing else to do. */
class Shown extends Error {}

function buildProgram(done: (code: ExitCode) => void): Command {
  const program = new Command('fulcrum')
    .description(
      'Runs every part of an application as a function or as a service, and switches between the two.',
    )
    .usage('COMMAND [options]')
    .version(packageVersion(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help; `fulcrum COMMAND --help` for one command')
    .configureOutput({
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(terminalWidth(), HELP_WIDTH),
    })
    .configureHelp({
      styleTitle: (title) => paint('bold', title),
      // With all options and arguments the list would not fit a terminal; each command's own help has them.
      subcommandTerm: (command) =>
        [
          command.name(),
          ...command.registeredArguments.map((each) => (each.required ? each.name() : `[${each.name()}]`)),
        ].join(' '),
    })
    .addHelpText('after', () => `\n${EXIT_HELP}`);

  addBudgetOptions(program.command('dev'))
    .description('run an app on this machine, and follow its files')
    .argument('[DIR]', "the app's folder", '.')
    .option('-p, --port <N>', 'port of the app (8080, or another that is free)', portNumber)
    .option('--admin-port <N>', 'port of the admin API and page (8081, or another)', portNumber)
    .option('-e, --environment <NAME>', 'what the config is given as environment', 'development')
    .option('--inspect <COMPONENT>', "open Node's inspector on a component")
    .addHelpText(
      'after',
      examples('fulcrum dev', 'fulcrum dev examples/shop --port 3000', 'fulcrum dev --inspect catalog'),
    )
    .action(
      async (
        directory: string,
        options: BudgetFlags & { port?: number; adminPort?: number; environment: string; inspect?: string },
      ) => {
        const { dev } = await import('./commands/dev.ts');
        done(
          await dev(directory, {
            ...options,
            port: options.port ?? null,
            adminPort: options.adminPort ?? null,
          }),
        );
      },
    );

  addServeCommands(program, done);

  program
    .command('deploy')
    .description('build an app, send what changed to a server, and bring it up there')
    .argument('[DIR]', "the app's folder", '.')
    .option('--to <URL>', "the server's admin address (else `fulcrum serve` on this machine)")
    .option('-e, --environment <NAME>', 'what the config is given as environment', 'production')
    .option('--host <NAME>', 'a host that the app answers under (may be given again)', collect)
    .option('--prefix <PATH>', 'a path that its routes lie below')
    .option('--canary <STEPS>', 'shares of the clients that get it first, such as 1%,10%,50%')
    .option('--every <DURATION>', 'how long each share stays (2m)')
    .option('--max-errors <SHARE>', 'failed requests above which it goes back (1%)')
    .option('--note <TEXT>', 'what `fulcrum releases` says of it')
    .option('--no-typecheck', 'do not run TypeScript first')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum deploy --to https://admin.example.com',
        'fulcrum deploy --environment staging --host staging.example.com',
        'fulcrum deploy --canary 1%,10%,50% --every 5m --max-errors 0.5%',
      ),
    )
    .action(async (directory, options) =>
      done(await (await import('./commands/deploy.ts')).deploy(directory, options)),
    );

  program
    .command('rollback')
    .description('bring an earlier release up again')
    .argument('[RELEASE]', 'its number (else the newest healthy one before the one that serves)')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum rollback', 'fulcrum rollback 41 --app shop'))
    .action(async (release, options) =>
      done(await (await import('./commands/rollback.ts')).rollback(release, options)),
    );

  program
    .command('canary')
    .description('give a canary all the traffic, or take it back, now')
    .argument('<promote|abort>', 'what to do with it')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum canary promote', 'fulcrum canary abort --app shop'))
    .action(async (how, options) => done(await (await import('./commands/canary.ts')).canary(how, options)));

  program
    .command('releases')
    .description('list the releases of an app, newest first')
    .option('-n, --lines <N>', 'the latest so many', numberIn(1, 10_000), 20)
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum releases', 'fulcrum releases --app shop@staging -n 5'))
    .action(async (options) => done(await (await import('./commands/releases.ts')).releases(options)));

  program
    .command('diff')
    .description('show what differs between two releases: settings, code, files')
    .argument('<A>', 'a release')
    .argument('[B]', 'another; without, A is held against the one that serves')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum diff 41 42', 'fulcrum diff 42 --app shop'))
    .action(async (a, b, options) => done(await (await import('./commands/diff.ts')).diff(a, b, options)));

  program
    .command('ps')
    .description('show the components of a running app: mode, instances, traffic')
    .argument('[COMPONENT]', 'one of them, or a group: its instances, and why the latest came and went')
    .option('--graph', 'who calls whom: how often, how long it takes, what fails')
    .option('--window <DURATION>', 'with --graph: of the last 1m, 5m, 60m, … (5m)')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum ps',
        'fulcrum ps catalog',
        'fulcrum ps --graph --window 30m',
        "fulcrum ps --json | jq '.components[].mode'",
      ),
    )
    .action(async (component: string | undefined, options) =>
      done(
        options.graph || options.window !== undefined
          ? await (await import('./commands/ps-graph.ts')).psGraph(component, options)
          : await (await import('./commands/ps.ts')).ps(component, options),
      ),
    );

  program
    .command('capacity')
    .description('show what the machine and its limits have room for, and when they will be reached')
    .option('-d, --days <N>', 'from the usage of the last so many days', numberIn(1, 90), 30)
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum capacity', 'fulcrum capacity --app shop --days 14 --json'))
    .action(async (options) => done(await (await import('./commands/capacity.ts')).capacity(options)));

  program
    .command('mode')
    .description('switch a component or a group to function, service or auto while it runs, or see what was')
    .argument('[COMPONENT]', 'its name in the config; of components that share a process, the group’s')
    .argument('[MODE]', 'function, service or auto')
    .option(
      '--check',
      'only say what in its code would break, with file and line; exit 1 where it is refused',
    )
    .option('--force', 'switch though something would break')
    .option('--history', 'what was decided about modes, by hand and by auto, and why')
    .option('-n, --lines <N>', 'with --history: how many, the newest', numberIn(1, 1_000), 20)
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum mode catalog service',
        'fulcrum mode catalog service --check',
        'fulcrum mode catalog auto',
        'fulcrum mode --history',
        'fulcrum mode catalog --history --json',
      ),
    )
    .action(async (component, mode, options) =>
      done(await (await import('./commands/mode.ts')).mode(component, mode, options)),
    );

  addAdviseCommand(program, done);
  addBillCommand(program, done);
  addUsageCommand(program, done);
  addSimulateCommand(program, done);
  addLimitsCommand(program, done);

  program
    .command('invoke')
    .description('call a function of a component, its schedule, or its event handler')
    .argument('<COMPONENT>', 'its name in the config')
    .argument('[FUNCTION]', 'a function that its module exports')
    .option('--args <JSON>', "list of the function's arguments")
    .option('--data <JSON>', "the function's only argument, or the event's data; @FILE or @- reads it")
    .option('--scheduled', 'run its `scheduled` handler, as its schedule would')
    .option('--event <TYPE>', 'hand its `queue` handler one event of this type')
    .option('--async', 'have it kept and done later, with retries; prints the id of its result')
    .option('--wait', 'with --async: until it is done')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        `fulcrum invoke catalog priceOf --args '["A-1"]'`,
        'fulcrum invoke receipts --event order.paid --data @order.json',
        'fulcrum invoke report --scheduled',
        'fulcrum invoke report build --async --wait',
      ),
    )
    .action(async (component, name, options) =>
      done(await (await import('./commands/invoke.ts')).invoke(component, name, options)),
    );

  addEventsCommands(program, done);

  program
    .command('logs')
    .description('show what components and the platform wrote')
    .argument('[COMPONENT]', 'only this one')
    .option('-f, --follow', 'go on showing what is written')
    .option('-n, --lines <N>', 'the latest so many (100; of a request, all)', numberIn(0, MAX_LOG_LINES))
    .option('--request <ID>', 'only what belongs to this request: the tree of its calls')
    .option('--no-tree', 'of a request, too, one line after the other')
    .option('--since <DURATION>', 'only the last 30s, 5m, 1h30m, …')
    .option('--level <LEVEL>', 'debug, info, warn or error, and what is more serious')
    .addOption(appOption())
    .addOption(urlOption())
    .option('--json', 'print JSON: one list, or with -f one entry a line')
    .addHelpText(
      'after',
      examples(
        'fulcrum logs -f',
        'fulcrum logs catalog --since 5m --level warn',
        'fulcrum logs --request r_5x0c…',
        'fulcrum logs catalog --request r_5x0c…',
      ),
    )
    .action(async (component, options) =>
      done(await (await import('./commands/logs.ts')).logs(component, options)),
    );

  program
    .command('doctor')
    .description('check the machine and an app, and say what to do')
    .argument('[DIR]', "the app's folder", '.')
    .option('-e, --environment <NAME>', 'what the config is given as environment', 'development')
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum doctor', 'fulcrum doctor examples/shop --json'))
    .action(async (directory, options) =>
      done(await (await import('./commands/doctor.ts')).doctor(directory, options)),
    );

  program
    .command('init')
    .description('make a new app from a template')
    .argument('[DIR]', 'a folder that is new or empty')
    .option('--name <NAME>', "the app's name (the folder's)")
    .addHelpText('after', examples('fulcrum init my-app', 'fulcrum init . --name shop'))
    .action(async (directory, options) =>
      done(await (await import('./commands/init.ts')).init(directory, options)),
    );

  addServerCommands(program, done);
  addStoreCommands(program, done);
  addBooksCommands(program, done);

  for (const command of withAllBelow(program)) {
    command.exitOverride((error: CommanderError) => {
      throw usageError(error, command) ?? new Shown();
    });
    command.helpOption('-h, --help', 'show this help');
  }
  return program;
}

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)];
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}
