import { FulcrumError } from '../base/errors.ts';

/** `sun_path` of sockaddr_un, less its terminating zero: unix(7) on Linux, <sys/un.h> on macOS. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/** Throws `internal` where the system could not bind `path`; it would be cut silently or refused with an errno that tells nobody why. */
export function assertSocketPathFits(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  throw new FulcrumError(
    'internal',
    `The path of a Unix socket may have ${MAX_SOCKET_PATH_BYTES} bytes and ${path} has ${bytes}. Set XDG_RUNTIME_DIR (or TMPDIR) to a shorter folder.`,
  );
}
