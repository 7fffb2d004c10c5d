/** A request's path as names inside a folder. */
export interface FilePath {
  readonly segments: readonly string[];
  /** It ends with a slash, and so names a folder. */
  readonly folder: boolean;
}

/**
 * Reads a request path (percent-encoded; empty, or from the folder's root on with a slash); null where it names nothing that may be served: a
 * step out of the folder however it is written, a hidden file, a name that no file can have.
 */
export function readFilePath(path: string): FilePath | null {
  const segments: string[] = [];
  const folder = path.endsWith('/');
  const parts = path.split('/').slice(1, folder ? -1 : undefined);
  for (const part of parts) {
    const name = decoded(part);
    // A leading dot covers `.` and `..` as well. Decoded once only: `%252e` is a file called `%2e`.
    if (name === null || name === '' || name.startsWith('.') || /[/\\\0]/.test(name)) return null;
    segments.push(name);
  }
  return { segments, folder };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
