import { FulcrumError, messageOf } from '../base/errors.ts';

/** Primary result codes, https://sqlite.org/rescode.html */
const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** What went wrong with the file at `path`, and what to do about it, as `store-failed`. */
export function storeError(error: unknown, path: string): FulcrumError {
  if (error instanceof FulcrumError) return error;
  return new FulcrumError('store-failed', sentence(error, path), { cause: error });
}

function sentence(error: unknown, path: string): string {
  switch (primaryCode(error)) {
    case BUSY:
      return `The store ${path} is locked by another process. End that process, or give this server another store.`;
    case READONLY:
      return `The store ${path} cannot be written. Make the file and its folder writable for the user that runs Fulcrum.`;
    case IOERR:
      return `The disk failed while the store ${path} was read or written (${messageOf(error)}). Check the disk and the system's log.`;
    case CORRUPT:
    case NOTADB:
      return `The store ${path} is damaged or no SQLite database. Restore it from a backup, or move it away and Fulcrum begins a new one.`;
    case FULL:
      return `The disk is full, so the store ${path} cannot grow. Free some space; writing goes on by itself.`;
    case CANTOPEN:
      return `The store ${path} cannot be opened. Check that its folder exists and that the user that runs Fulcrum may write there.`;
    default:
      return systemSentence(error, path);
  }
}

function systemSentence(error: unknown, path: string): string {
  switch ((error as { code?: unknown } | null)?.code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `The store ${path} cannot be written. Make the file and its folder writable for the user that runs Fulcrum.`;
    case 'EISDIR':
      return `The store ${path} is a folder. Give the path of a file.`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `The store ${path} cannot be made: part of its path is a file, not a folder. Give another path.`;
    case 'ENOSPC':
      return `The disk is full, so the store ${path} cannot be made. Free some space and start again.`;
    default:
      return `The store ${path} failed: ${messageOf(error)}.`;
  }
}

/** The low byte of SQLite's extended code; -1 where the error is none of SQLite's. */
function primaryCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : -1;
}
