import { FulcrumError } from '../base/errors.ts';

export interface PostgresUrl {
  /** For the driver; holds the password. */
  readonly connectionString: string;
  /** For people: without the password and without options. */
  readonly name: string;
}

/** sslmodes that sound as if they did not check the server's certificate, but do. Said plainly, no later version can read them otherwise. */
const VERIFIED = new Set(['prefer', 'require', 'verify-ca']);

/**
 * Reads `postgres://user:password@host:port/database?option=value`; for a Unix socket `?host=/its/folder`. TLS is used where `sslmode` says
 * so, and the server's certificate is then checked, but for `no-verify`. Throws `store-failed`; the URL is in no error, for it holds a password.
 */
export function readPostgresUrl(text: string): PostgresUrl {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid('it cannot be read as a URL');
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw invalid(`it begins with ${url.protocol}//`);
  }
  const database = url.pathname.slice(1);
  if (database === '') throw invalid('it names no database');
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && VERIFIED.has(mode) && !url.searchParams.has('uselibpqcompat')) {
    url.searchParams.set('sslmode', 'verify-full');
  }
  const host = url.searchParams.get('host') ?? url.host;
  const user = url.username === '' ? '' : `${url.username}@`;
  return { connectionString: url.href, name: `postgres://${user}${host}/${database}` };
}

export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:/i.test(text);
}

function invalid(why: string): FulcrumError {
  return new FulcrumError(
    'store-failed',
    `The database's URL is not valid: ${why}. Expected postgres://USER:PASSWORD@HOST:PORT/DATABASE.`,
  );
}
