import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../base/clock.ts';
import { parseDuration } from '../../base/duration.ts';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { LogEntry } from '../../model/log.ts';
import { budgetArgs, budgetAsked } from '../budget-flags.ts';
import { EndRequests } from '../end-requests.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { nextSteps } from '../next-steps.ts';
import type { ServeFlags } from '../serve-flags.ts';
import { print } from '../stdout.ts';
import { printable } from '../terminal.ts';

/** Runs until it is told to end, or its successor serves. */
export async function serve(flags: ServeFlags): Promise<ExitCode> {
  const data = flags.data ?? process.env['FULCRUM_DATA'];
  if (data === undefined || data === '')
    throw new FulcrumError('usage', 'Say where to keep everything: `--data DIR`, or FULCRUM_DATA.');
  const budget = budgetAsked(flags, process.env);
  if (flags.install) return await install(flags, resolve(data));
  // The server is loaded here alone; the other commands must not wait for it.
  const { startServer } = await import('../../server/serve.ts');
  const { http, https, redirects } = doors(flags);
  const signals = new Signals();
  const server = await startServer({
    dataDirectory: resolve(data),
    databaseUrl: process.env['DATABASE_URL'] || null,
    makeKey: flags.makeKey ?? false,
    http,
    https,
    redirects,
    admin: flags.admin ? { host: flags.adminHost, port: flags.adminPort } : null,
    adminHosts: flags.adminName ?? [],
    trustedProxies: flags.trustedProxy ?? [],
    budget,
    onLine: show,
  });
  print(`Fulcrum serves ${server.gatewayUrls.join(' and ')}`);
  print(
    `admin API: ${server.adminUrl ?? 'over its Unix socket'}; data: ${resolve(data)}; pid ${process.pid}`,
  );
  signals.give({
    end: () => server.stop(),
    replace: () => void server.restart().catch((error: unknown) => print(messageOf(error))),
  });
  await server.ended;
  return EXIT.ok;
}

interface Orders {
  end(): void;
  replace(): void;
}

/** What arrives while the server still starts is done once it has. */
class Signals {
  readonly #requests = new EndRequests(systemClock);
  #orders: Orders | null = null;
  #ends = false;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#end());
    process.on('SIGHUP', () => this.#orders?.replace());
  }

  give(orders: Orders): void {
    this.#orders = orders;
    if (this.#ends) orders.end();
  }

  #end(): void {
    const meaning = this.#requests.next();
    if (meaning === 'end-now') process.exit(EXIT.interrupted);
    this.#ends = true;
    if (meaning === 'end-in-order') this.#orders?.end();
  }
}

type Doors = Pick<
  Parameters<typeof import('../../server/serve.ts').startServer>[0],
  'http' | 'https' | 'redirects'
>;

function doors(flags: ServeFlags): Doors {
  const { host, port, tlsPort, redirect } = flags;
  const [certs, keys] = [flags.tlsCert ?? [], flags.tlsKey ?? []];
  if (certs.length !== keys.length)
    throw new FulcrumError(
      'usage',
      `There are ${certs.length} --tls-cert and ${keys.length} --tls-key; each certificate needs its key.`,
    );
  if (certs.length > 0 !== (tlsPort !== undefined))
    throw new FulcrumError('usage', 'For https give --tls-port together with --tls-cert and --tls-key.');
  const http = { host, port };
  if (tlsPort === undefined) return { http, https: null, redirects: false };
  const certificates = certs.map((certPath, i) => ({
    certPath: resolve(certPath),
    keyPath: resolve(keys[i]!),
    hosts: null,
  }));
  return {
    http,
    https: { host, port: tlsPort, certificates, hsts: hstsOf(flags.hsts) },
    redirects: redirect,
  };
}

function hstsOf(text: string | undefined): NonNullable<Doors['https']>['hsts'] {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms === null) throw new FulcrumError('usage', `--hsts: '${text}' is no duration; write one like 180d.`);
  return { maxAgeS: Math.floor(ms / 1_000), includeSubDomains: false, preload: false };
}

/** For a journal, which adds the time by itself. */
function show({ level, text }: LogEntry): void {
  print(`${level === 'info' ? '' : `${level}: `}${printable(text)}`);
}

async function install(flags: ServeFlags, dataDirectory: string): Promise<ExitCode> {
  const { unitFiles } = await import('../../server/unit-files.ts');
  const { https } = doors(flags);
  const listen =
    flags.socketActivation !== true
      ? []
      : [
          {
            name: https !== null && flags.redirect ? ('redirect' as const) : ('http' as const),
            port: flags.port,
            host: flags.host,
          },
          ...(https === null ? [] : [{ name: 'https' as const, port: https.port, host: flags.host }]),
        ];
  const files = unitFiles({
    program: [process.execPath, ...process.execArgv, resolve(process.argv[1]!)],
    dataDirectory,
    args: argsOf(flags),
    user: flags.user ?? null,
    listen,
  });
  if (flags.dryRun) {
    for (const { path, text } of files) print(`# ${path}\n${text}`);
    return EXIT.ok;
  }
  await mkdir(dataDirectory, { recursive: true, mode: 0o711 });
  for (const { path, text } of files) await writeFile(path, text, { mode: 0o644 });
  await promisify(execFile)('systemd-analyze', ['verify', ...files.map(({ path }) => path)]).catch(
    (error: NodeJS.ErrnoException & { stderr?: string }) => {
      if (error.code !== 'ENOENT')
        print(`warning: systemd-analyze verify: ${error.stderr?.trim() ?? error.message}`);
    },
  );
  const names = files.map(({ path }) => path.split('/').at(-1)!);
  print(`Written: ${files.map(({ path }) => path).join(', ')}`);
  for (const line of nextSteps({ user: flags.user ?? null, dataDirectory, units: names })) print(line);
  return EXIT.ok;
}

/** The flags that `serve` needs again when systemd runs it. */
function argsOf(flags: ServeFlags): string[] {
  const { tlsCert = [], tlsKey = [] } = flags;
  return [
    ...['--host', flags.host, '--port', String(flags.port)],
    ...(flags.tlsPort === undefined ? [] : ['--tls-port', String(flags.tlsPort)]),
    ...tlsCert.flatMap((cert, i) => ['--tls-cert', resolve(cert), '--tls-key', resolve(tlsKey[i] ?? '')]),
    ...(flags.redirect ? [] : ['--no-redirect']),
    ...(flags.hsts === undefined ? [] : ['--hsts', flags.hsts]),
    ...(flags.admin
      ? ['--admin-host', flags.adminHost, '--admin-port', String(flags.adminPort)]
      : ['--no-admin']),
    ...(flags.makeKey ? ['--make-key'] : []),
    ...(flags.adminName ?? []).flatMap((name) => ['--admin-name', name]),
    ...(flags.trustedProxy ?? []).flatMap((proxy) => ['--trusted-proxy', proxy]),
    ...budgetArgs(flags),
  ];
}
