import { isAppId } from '../../base/app-id.ts';
import { parseDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import { nearest } from '../../base/suggest.ts';
import type { TokenSummary } from '../../control/schemas.ts';
import { connectToHost } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { formatTable, type Column } from '../table.ts';
import { paint, printableLine, terminalWidth, wrap } from '../terminal.ts';
import { dateTime, relativeTime } from '../when.ts';

interface Options {
  readonly url?: string;
  readonly json?: boolean;
}

export interface CreateOptions extends Options {
  readonly name: string;
  readonly scope: string;
  readonly app?: readonly string[];
  readonly expires?: string;
}

/** The server's own bounds. */
const MIN_EXPIRES_MS = 60_000;
const MAX_EXPIRES_MS = 3_660 * 86_400_000;

const SCOPES = ['read', 'deploy', 'admin'];

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'NAME', minWidth: 8 },
  { title: 'SCOPE' },
  { title: 'APPS', minWidth: 8 },
  { title: 'EXPIRES' },
  { title: 'LAST USED' },
  { title: 'MADE', dropOrder: 1 },
];

/** The token alone is on stdout, so that it can be piped to where it is kept; what it is on stderr. */
export async function createToken(options: CreateOptions): Promise<ExitCode> {
  const order = tokenOrder(options);
  const { client } = await connectToHost(options);
  const made = await client.post<TokenSummary & { token: string }>('/tokens', order);
  if (options.json) {
    printJson(made);
    return EXIT.ok;
  }
  print(made.token);
  const end = made.expiresAtMs === null ? 'it does not expire' : `until ${dateTime(made.expiresAtMs)}`;
  const apps = made.apps === null ? 'all apps' : made.apps.join(', ');
  const text = `Token '${printableLine(made.name)}' (${made.id}): ${made.scope}, ${apps}, ${end}. It is shown this once; put it into FULCRUM_TOKEN where it is used.`;
  for (const line of wrap(text, terminalWidth()))
    process.stderr.write(`${paint('dim', line, process.stderr)}\n`);
  return EXIT.ok;
}

export async function listTokens(options: Options): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  const tokens = await client.get<TokenSummary[]>('/tokens');
  if (options.json) printJson(tokens);
  else if (tokens.length === 0) print('There are no tokens. `fulcrum tokens create` makes one.');
  else for (const line of tokenLines(tokens, Date.now(), terminalWidth())) print(line);
  return EXIT.ok;
}

export async function revokeToken(id: string, options: Options): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  await client.delete(`/tokens/${encodeURIComponent(id)}`);
  print(`Revoked ${id}.`);
  return EXIT.ok;
}

/** What `tokens ls` shows, no line wider than `width`. */
export function tokenLines(tokens: readonly TokenSummary[], nowMs: number, width: number): string[] {
  const isOver = ({ expiresAtMs }: TokenSummary): boolean => expiresAtMs !== null && expiresAtMs <= nowMs;
  const rows = tokens.map((token) => [
    token.id,
    printableLine(token.name),
    token.scope,
    token.apps === null ? 'all' : token.apps.join(' '),
    token.expiresAtMs === null ? 'never' : isOver(token) ? 'expired' : relativeTime(token.expiresAtMs, nowMs),
    token.lastUsedAtMs === null ? 'never' : relativeTime(token.lastUsedAtMs, nowMs),
    relativeTime(token.createdAtMs, nowMs),
  ]);
  return formatTable(COLUMNS, rows, width, (cell, row, column) => {
    if (row === -1) return paint('dim', cell);
    if (COLUMNS[column]!.title === 'EXPIRES' && isOver(tokens[row]!)) return paint('red', cell);
    return cell;
  });
}

/** What `POST /v1/tokens` is asked. Throws `usage`. */
function tokenOrder({ name, scope, app, expires }: CreateOptions): object {
  if (!SCOPES.includes(scope)) {
    const likely = nearest(scope, SCOPES);
    const advice = likely === null ? '' : ` Did you mean '${likely}'?`;
    throw new FulcrumError('usage', `'${scope}' is no scope.${advice} There are: ${SCOPES.join(', ')}.`);
  }
  const wrong = app?.find((id) => !isAppId(id));
  if (wrong !== undefined) {
    throw new FulcrumError(
      'usage',
      `'${wrong}' cannot be an app's id: those are like shop, or shop@staging.`,
    );
  }
  const expiresInMs = expires === undefined ? null : parseDuration(expires);
  if (expires !== undefined && expiresInMs === null) {
    throw new FulcrumError('usage', `--expires takes a duration such as 12h or 90d; '${expires}' is none.`);
  }
  if (expiresInMs !== null && (expiresInMs < MIN_EXPIRES_MS || expiresInMs > MAX_EXPIRES_MS)) {
    throw new FulcrumError(
      'usage',
      `--expires takes a minute (1m) at least and ten years (3660d) at most; it was '${expires}'.`,
    );
  }
  return { name, scope, apps: app ?? null, expiresInMs };
}
