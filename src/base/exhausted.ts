import { FulcrumError } from './errors.ts';

/**
 * What the system says where it has no room for another process or thread (EAGAIN of fork and clone), for memory, or for a descriptor,
 * of this process or of all; errno(3), fork(2), clone(2), socketpair(2).
 */
const CODES: ReadonlySet<unknown> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);
/** A chain of causes that goes on for longer is nobody's. */
const MAX_CAUSES = 8;

/** The system's code where it was short of processes, memory or descriptors, in `error` or what caused it; null where it was something else. */
export function exhaustedCode(error: unknown): string | null {
  let each = error;
  for (let depth = 0; depth < MAX_CAUSES && each instanceof Error; depth++, each = each.cause) {
    const { code } = each as NodeJS.ErrnoException;
    if (each instanceof FulcrumError && code === 'resources-exhausted')
      return typeof each.details['code'] === 'string' ? each.details['code'] : 'EAGAIN';
    if (CODES.has(code)) return code!;
  }
  return null;
}

/** `resources-exhausted`, with what could not be had. @param what `No process could be forked`. @param code the system's. */
export function resourcesExhausted(what: string, code: string, cause?: unknown): FulcrumError {
  const of =
    code === 'ENOMEM'
      ? 'memory'
      : code === 'EAGAIN'
        ? 'room for another process (a limit of processes, or of a control group)'
        : 'file descriptors';
  return new FulcrumError(
    'resources-exhausted',
    `${what}: the machine has no more ${of} (${code}). It is tried again; raise the limit, or run fewer instances.`,
    { ...(cause !== undefined && { cause }), details: { code }, retryAfterS: 1 },
  );
}
