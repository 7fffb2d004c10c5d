import { FulcrumError, messageOf } from '../base/errors.ts';

/** Of Node and of https://www.postgresql.org/docs/current/errcodes-appendix.html: there is no connection, or there is none any more. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
]);
/** Another transaction was in the way; the same again may succeed. */
const REPEAT = new Set(['40001', '40P01', '23505', '23503']);

/** What went wrong with the database `name`, and what to do about it, as `store-failed`. */
export function postgresError(error: unknown, name: string): FulcrumError {
  if (error instanceof FulcrumError) return error;
  // Of the driver's error only its message: its other fields may hold values of rows.
  return new FulcrumError('store-failed', sentence(error, name), { cause: new Error(messageOf(error)) });
}

/** The connection is lost: whether a change was made cannot be known. */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== null) return AWAY.has(code) || code.startsWith('08');
  // The driver's own errors carry no code.
  return /connection terminated|connection ended|timeout|not queryable|closed the connection/i.test(
    messageOf(error),
  );
}

export function mayRepeat(error: unknown): boolean {
  return REPEAT.has(codeOf(error) ?? '');
}

function sentence(error: unknown, name: string): string {
  const code = codeOf(error) ?? '';
  if (isConnectionLost(error)) {
    return `The database ${name} cannot be reached (${reason(error)}). Check that it runs; Fulcrum goes on by itself once it does.`;
  }
  if (/CERT|^ERR_TLS/.test(code)) {
    return `The database ${name} shows a certificate that is not trusted (${messageOf(error)}). Name the file of its authority as sslrootcert in the URL.`;
  }
  switch (code) {
    case '28P01':
    case '28000':
      return `The database ${name} does not accept the user or the password (${messageOf(error)}). Check the URL.`;
    case '3D000':
      return `There is no database ${name}. Create it, and give its user the right to create in it.`;
    case '42501':
      return `The database ${name} refuses what its user asks (${messageOf(error)}). Make the user the owner of the database, or of its schema "fulcrum".`;
    case '53100':
      return `The disk of the database ${name} is full. Free some space; writing goes on by itself.`;
    case '53300':
      return `The database ${name} takes no more connections. Raise its max_connections, or run fewer servers.`;
    case '25006':
      return `The database ${name} is read only: a standby perhaps. Give the URL of the primary.`;
    case '57014':
      return `The database ${name} took too long for an answer, which was given up. Check its load.`;
    case '55P03':
      return `The database ${name} is locked by another session for long. End that session.`;
    case 'XX001':
    case 'XX002':
      return `The database ${name} is damaged (${messageOf(error)}). Restore it from a backup.`;
    default:
      return `The database ${name} failed: ${messageOf(error)}.`;
  }
}

function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

/** Several addresses of a host were tried, and each has its own reason. */
function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return messageOf(error);
}
