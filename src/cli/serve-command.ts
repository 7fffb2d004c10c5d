import { InvalidArgumentError, type Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { addBudgetOptions } from './budget-flags.ts';
import type { Target } from './connect.ts';
import { collect } from './options.ts';
import type { ServeFlags } from './serve-flags.ts';

/** Adds `serve` and `restart` to the program. */
export function addServeCommands(program: Command, done: (code: ExitCode) => void): void {
  addBudgetOptions(program.command('serve'))
    .description('run a server that apps are deployed to')
    .option('--data <DIR>', 'folder for everything that is kept (or FULCRUM_DATA)')
    .option('--host <ADDRESS>', 'address that clients come to', '0.0.0.0')
    .option('-p, --port <N>', 'port for http', portNumber, 8080)
    .option('--tls-port <N>', 'port for https; needs a certificate', portNumber)
    .option(
      '--tls-cert <FILE>',
      'certificate (PEM), once for each --tls-key; shown for the names in it',
      collect,
    )
    .option('--tls-key <FILE>', 'key of the certificate before it (PEM)', collect)
    .option('--no-redirect', 'with https, serve http too and do not send its clients on')
    .option('--hsts <DURATION>', 'tell browsers to come by https only for so long, like 180d')
    .option('--admin-port <N>', 'port of the admin API and page', portNumber, 8081)
    .option('--admin-host <ADDRESS>', 'its address; beyond loopback put a TLS proxy in front', '127.0.0.1')
    .option('--admin-name <HOST>', 'another name that it is called by, like admin.example.com', collect)
    .option('--no-admin', 'no admin API over HTTP: over the Unix socket alone')
    .option('--trusted-proxy <CIDR>', 'whose X-Forwarded fields are believed', collect)
    .option(
      '--make-key',
      'with DATABASE_URL: make a key file here; not where other servers use that database',
    )
    .option('--install', 'write systemd units that run this command, and do not run it')
    .option(
      '--user <NAME>',
      'with --install: run as this user; without, as root, with sandboxes that are whole',
    )
    .option('--socket-activation', 'with --install: systemd keeps the sockets while the server restarts')
    .option('--dry-run', 'with --install: print the units and write nothing')
    .addHelpText(
      'after',
      [
        '',
        'Environment:',
        '  FULCRUM_DATA   the same as --data',
        '  DATABASE_URL   postgres://… of a store that is not a file in the data folder',
        '  FULCRUM_KEY    key of the secrets, needed with DATABASE_URL; without, a key',
        '                 file in the data folder',
        '  FULCRUM_MEMORY_BUDGET, FULCRUM_CPU_BUDGET',
        '                 the same as --memory-budget and --cpu-budget',
        '',
        'Signals:',
        '  SIGTERM, SIGINT   end it in order; a second one at once',
        '  SIGHUP            replaces it by a new process, as `fulcrum restart` does',
        '',
        'Examples:',
        '  fulcrum serve --data /var/lib/fulcrum',
        '  fulcrum serve --data ./data --port 80 --tls-port 443 \\',
        '      --tls-cert a.pem --tls-key a.key',
        '  fulcrum serve --data /var/lib/fulcrum --install --socket-activation --dry-run',
      ].join('\n'),
    )
    .action(async (flags: ServeFlags) => done(await (await import('./commands/serve.ts')).serve(flags)));

  program
    .command('restart')
    .description('replace a running server by a new process, without losing a request')
    .option('--url <URL>', 'its admin API (or FULCRUM_URL; else the server of this machine)')
    .option('--json', 'print one JSON document')
    .action(async (options: Target & { json?: boolean }) =>
      done(await (await import('./commands/restart.ts')).restart(options)),
    );
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}
