export interface Told {
  readonly name: string;
  readonly message: string;
  readonly code: unknown;
  readonly retryAfterS: unknown;
  readonly cause: unknown;
}

/** Everything of an error that its catcher can see, but for where it came from. */
export function told(error: unknown): Told | string {
  if (!(error instanceof Error)) return `no error: ${String(error)}`;
  const { name, message, code, retryAfterS, cause } = error as Error & {
    code?: unknown;
    retryAfterS?: unknown;
  };
  return {
    name,
    message,
    code: code ?? null,
    retryAfterS: retryAfterS ?? null,
    cause: cause === undefined ? null : told(cause),
  };
}
