import { Option, type Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { paint } from './terminal.ts';

/** `fulcrum store …`: what works on a store itself, whether a server runs on it or not. */
export function addStoreCommands(program: Command, done: (code: ExitCode) => void): void {
  const store = program
    .command('store')
    .description('back up, restore or copy what a server keeps')
    .usage('COMMAND [options]');

  store
    .command('backup')
    .description('write all that a server keeps to one file, while it runs')
    .argument('<FILE>', 'a file that is not there yet; it will be an SQLite database')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum store backup /backups/monday.db --data /var/lib/fulcrum',
        'DATABASE_URL=postgres://… fulcrum store backup monday.db',
      ),
    )
    .action(async (file: string, options: StoreOptions) =>
      done(await (await import('./commands/store.ts')).storeBackup(file, options)),
    );

  store
    .command('restore')
    .description('make the store of a new server from a backup')
    .argument('<FILE>', 'what `fulcrum store backup` has written')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum store restore monday.db --data /var/lib/fulcrum'))
    .action(async (file: string, options: StoreOptions) =>
      done(await (await import('./commands/store.ts')).storeRestore(file, options)),
    );

  store
    .command('copy')
    .description('copy a store to another, from SQLite to Postgres or back, and compare the two')
    .option('--from <PLACE>', "a server's data folder, an SQLite file, or postgres://… (or FULCRUM_FROM_URL)")
    .option('--to <PLACE>', 'likewise; it must be empty (or FULCRUM_TO_URL)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('fulcrum store copy --from /var/lib/fulcrum --to postgres://fulcrum@db/fulcrum'),
    )
    .addHelpText(
      'after',
      [
        '',
        'Other users of this machine can read arguments. Leave the password out of them:',
        'PGPASSWORD is used where a URL has none, and FULCRUM_FROM_URL and FULCRUM_TO_URL',
        'are whole URLs, for two databases with a password each.',
      ].join('\n'),
    )
    .action(async (options: { from?: string; to?: string; json?: boolean }) =>
      done(await (await import('./commands/store.ts')).storeCopy(options)),
    );
}

interface StoreOptions {
  readonly data?: string;
  readonly json?: boolean;
}

function dataOption(): Option {
  return new Option('--data <DIR>', "the server's data folder (else the database of DATABASE_URL)");
}

function jsonOption(): Option {
  return new Option('--json', 'print one JSON document');
}

function examples(...lines: readonly string[]): () => string {
  return () => `\n${paint('bold', 'Examples:')}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
