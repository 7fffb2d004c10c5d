import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { appOption, collect, examples, jsonOption, numberIn, urlOption } from './options.ts';

const MAX_ENTRIES = 1_000;

/** The commands about a server that apps are deployed to: its apps, their secrets, tokens, and what was changed. */
export function addServerCommands(program: Command, done: (code: ExitCode) => void): void {
  addApps(program, done);
  addSecrets(program, done);
  addTokens(program, done);
  program
    .command('page')
    .description('print a link that opens the admin page of a server')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum page', 'xdg-open "$(fulcrum page)"'))
    .action(async (options) => done(await (await import('./commands/page.ts')).page(options)));
  program
    .command('audit')
    .description('show what was changed on a server, by whom and when')
    .option('-n, --lines <N>', 'the latest so many', numberIn(1, MAX_ENTRIES), 50)
    .option('--app <APP>', 'only what concerns this one')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum audit', 'fulcrum audit --app shop --json'))
    .action(async (options) => done(await (await import('./commands/audit.ts')).audit(options)));
}

function addApps(program: Command, done: (code: ExitCode) => void): void {
  const apps = program
    .command('apps')
    .description('list the apps of a server, move them, remove them')
    .addHelpText('after', examples('fulcrum apps ls', 'fulcrum apps route shop --host shop.example.com'));
  apps
    .command('ls')
    .description('list them, with where they answer and what serves')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (options) => done(await (await import('./commands/apps.ts')).listApps(options)));
  apps
    .command('route')
    .description('set the hosts and the path prefix that an app answers under')
    .argument('<APP>', 'its id or name')
    .option('--host <NAME>', 'a host (may be given again); none: all that no other app has', collect)
    .option('--prefix <PATH>', 'a path that its routes lie below; none: the root')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum apps route shop --host shop.example.com --prefix /v2'))
    .action(async (app, options) => done(await (await import('./commands/apps.ts')).routeApp(app, options)));
  apps
    .command('rm')
    .description('end an app; remove its releases, secrets, usage and the files it has stored')
    .argument('<APP>', 'its id')
    .option('--yes', 'do not ask')
    .addOption(urlOption())
    .action(async (app, options) => done(await (await import('./commands/apps.ts')).removeApp(app, options)));
}

function addSecrets(program: Command, done: (code: ExitCode) => void): void {
  const secrets = program
    .command('secrets')
    .description('set, list and remove the secrets of an app; change the key they are kept with')
    .addHelpText(
      'after',
      examples('fulcrum secrets set PAYMENT_KEY --app shop < key.txt', 'fulcrum secrets ls'),
    );
  secrets
    .command('set')
    .description('set a secret: its value is asked for, or read from standard input')
    .argument('<NAME>', 'as the config names it')
    .option('--apply', 'bring what runs up anew with it (else the next deploy does)')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('fulcrum secrets set PAYMENT_KEY --app shop', 'fulcrum secrets set TLS_KEY --apply < key.pem'),
    )
    .action(async (name, options) =>
      done(await (await import('./commands/secrets.ts')).setSecret(name, options)),
    );
  secrets
    .command('ls')
    .description('list their names, and when each was set')
    .addOption(appOption())
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (options) => done(await (await import('./commands/secrets.ts')).listSecrets(options)));
  secrets
    .command('rm')
    .description('remove a secret; refused where what serves needs it')
    .argument('<NAME>', 'its name')
    .option('--force', 'remove it though what serves would not start again without it')
    .addOption(appOption())
    .addOption(urlOption())
    .action(async (name, options) =>
      done(await (await import('./commands/secrets.ts')).removeSecret(name, options)),
    );
  secrets
    .command('rotate')
    .description('make a new key and seal every secret of the server with it')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (options) => done(await (await import('./commands/secrets.ts')).rotateKey(options)));
  secrets
    .command('forget-keys')
    .description('take keys of before a rotation out of the key file, where nothing is sealed with them')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nBackups from before the last rotation cannot be opened any more then, but with a copy of the key file.',
    )
    .action(async (options) => done(await (await import('./commands/secrets.ts')).forgetKeys(options)));
}

function addTokens(program: Command, done: (code: ExitCode) => void): void {
  const tokens = program
    .command('tokens')
    .description('make, list and revoke the tokens that open the admin API of a server')
    .addHelpText(
      'after',
      examples(
        'fulcrum tokens create --name ci --scope deploy --app shop --expires 90d',
        'fulcrum tokens ls',
      ),
    );
  tokens
    .command('create')
    .description('make a token; it is printed this once, alone on standard output')
    .requiredOption('--name <NAME>', 'what it is for, or whose it is')
    .requiredOption('--scope <SCOPE>', 'read (look), deploy (that, and change), admin (all)')
    .option('--app <APP>', 'only for this app (may be given again); else for all', collect)
    .option('--expires <DURATION>', 'such as 90d or 12h; else it does not expire')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum tokens create --name ci --scope deploy --app shop --expires 90d',
        'fulcrum tokens create --name anna --scope admin',
      ),
    )
    .action(async (options) => done(await (await import('./commands/tokens.ts')).createToken(options)));
  tokens
    .command('ls')
    .description('list them: scope, apps, when each ends and was last used')
    .addOption(urlOption())
    .addOption(jsonOption())
    .action(async (options) => done(await (await import('./commands/tokens.ts')).listTokens(options)));
  tokens
    .command('revoke')
    .description('revoke one: its next request is refused')
    .argument('<ID>', 'as `fulcrum tokens ls` shows it')
    .addOption(urlOption())
    .action(async (id, options) =>
      done(await (await import('./commands/tokens.ts')).revokeToken(id, options)),
    );
}
