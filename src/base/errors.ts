/**
 * Everything that can go wrong, as values. Each code has one entry here and one page in `docs/errors/`; a test
 * holds the two together. `status` is the HTTP status where the error is told to an HTTP client; `fault` says who
 * can mend it: the caller, the component's author, or whoever runs the platform.
 */
export const ERRORS = {
  // The caller's.
  'bad-request': { status: 400, fault: 'caller', title: 'The request cannot be understood' },
  unauthorized: { status: 401, fault: 'caller', title: 'A valid token is needed' },
  forbidden: { status: 403, fault: 'caller', title: 'Not allowed' },
  'app-not-found': { status: 404, fault: 'caller', title: 'No app answers here' },
  'route-not-found': { status: 404, fault: 'caller', title: 'No component has this route' },
  'not-found': { status: 404, fault: 'caller', title: 'There is no such thing' },
  conflict: { status: 409, fault: 'caller', title: 'Something else has changed it, or claims it' },
  'manifest-invalid': { status: 400, fault: 'caller', title: 'What was sent to deploy is not valid' },
  'blob-invalid': { status: 400, fault: 'caller', title: 'An uploaded file is not what it should be' },
  'method-not-allowed': { status: 405, fault: 'caller', title: 'The method is not allowed here' },
  'body-timeout': { status: 408, fault: 'caller', title: 'The request did not arrive in time' },
  'body-too-large': { status: 413, fault: 'caller', title: 'The request body is too large' },
  'target-too-long': { status: 414, fault: 'caller', title: 'The request line is too long' },
  'media-type-unsupported': {
    status: 415,
    fault: 'caller',
    title: 'What was sent is in no form that is taken here',
  },
  'range-not-satisfiable': { status: 416, fault: 'caller', title: 'The range lies outside the file' },
  'expectation-failed': { status: 417, fault: 'caller', title: 'The expectation cannot be met' },
  'rate-limited': { status: 429, fault: 'caller', title: 'Too many requests' },
  'switched-off': { status: 429, fault: 'caller', title: 'The component is switched off' },
  'headers-too-large': { status: 431, fault: 'caller', title: 'The request headers are too large' },
  'client-gone': { status: 499, fault: 'caller', title: 'The client went away' },
  'coding-unsupported': { status: 501, fault: 'caller', title: 'The transfer coding is not understood' },
  'http-version-unsupported': { status: 505, fault: 'caller', title: 'The HTTP version is not spoken here' },
  'event-invalid': { status: 400, fault: 'caller', title: 'The event is not valid' },
  'event-unmatched': { status: 422, fault: 'caller', title: 'No component takes events of this type' },
  'trace-invalid': { status: 400, fault: 'caller', title: 'The trace cannot be read' },
  usage: { status: 400, fault: 'caller', title: 'The command was not understood' },

  // The author's.
  'config-invalid': { status: 400, fault: 'author', title: 'The configuration is not valid' },
  'book-invalid': { status: 400, fault: 'author', title: 'The price book is not valid' },
  'build-failed': { status: 400, fault: 'author', title: 'The code does not build' },
  'types-wrong': { status: 400, fault: 'author', title: 'The types do not check' },
  'package-failed': { status: 400, fault: 'author', title: 'The app cannot be packed for a deploy' },
  'platform-mismatch': { status: 400, fault: 'author', title: 'Native code is built for another platform' },
  'isolation-missing': { status: 502, fault: 'author', title: 'The machine cannot isolate the component' },
  'secret-missing': { status: 400, fault: 'author', title: 'A secret has no value' },
  'handler-error': { status: 500, fault: 'author', title: 'The handler threw an error' },
  'handler-missing': { status: 501, fault: 'author', title: 'The component has no such handler' },
  'upgrade-unsupported': { status: 501, fault: 'author', title: 'The component does not accept upgrades' },
  'start-failed': { status: 502, fault: 'author', title: 'The component could not be started' },
  'instance-crashed': { status: 502, fault: 'author', title: 'The instance ended during the request' },
  'bad-response': { status: 502, fault: 'author', title: 'The component gave no valid response' },
  'memory-exceeded': { status: 502, fault: 'author', title: 'The instance used more memory than it may' },
  'switch-unsafe': { status: 409, fault: 'author', title: 'The switch would break the component' },
  'deploy-failed': { status: 422, fault: 'author', title: 'The release did not come up' },
  timeout: { status: 504, fault: 'author', title: 'The component did not answer in time' },

  // Calls between components.
  'call-unknown-component': { status: 500, fault: 'author', title: 'There is no component of that name' },
  'call-unknown-function': { status: 500, fault: 'author', title: 'The component exports no such function' },
  'call-not-allowed': { status: 500, fault: 'author', title: 'The component may not call the other' },
  'call-cycle': { status: 500, fault: 'author', title: 'The calls go in a circle' },
  'call-too-deep': { status: 500, fault: 'author', title: 'The chain of calls is too long' },
  'call-not-cloneable': { status: 500, fault: 'author', title: 'The value cannot be cloned' },
  'call-too-large': { status: 500, fault: 'author', title: 'The arguments or the result are too large' },
  // Whose fault it is says what it was refused with.
  'call-refused': { status: 503, fault: 'platform', title: 'A component that is called for it refuses it' },
  'outside-fulcrum': { status: 500, fault: 'author', title: 'The code does not run inside Fulcrum' },

  // The platform's.
  overloaded: { status: 503, fault: 'platform', title: 'Too many requests wait for this component' },
  'too-many-readers': { status: 503, fault: 'platform', title: 'Too many read this' },
  'resources-exhausted': {
    status: 503,
    fault: 'platform',
    title: 'The machine has no room for another instance',
  },
  'machine-full': { status: 503, fault: 'platform', title: 'The machine has no room for it' },
  'app-starting': { status: 503, fault: 'platform', title: 'The app is being started' },
  'shutting-down': { status: 503, fault: 'platform', title: 'The server is shutting down' },
  'certificate-invalid': { status: 500, fault: 'platform', title: 'A certificate cannot be used' },
  'port-in-use': { status: 500, fault: 'platform', title: 'The port is in use' },
  'server-unreachable': { status: 500, fault: 'platform', title: 'No running server was found' },
  'wire-protocol': { status: 502, fault: 'platform', title: 'The instance broke the wire protocol' },
  'secret-key-invalid': { status: 500, fault: 'platform', title: 'The key for secrets cannot be used' },
  'secret-damaged': { status: 500, fault: 'platform', title: 'A kept secret does not open' },
  'store-failed': { status: 503, fault: 'platform', title: 'The store could not be read or written' },
  internal: { status: 500, fault: 'platform', title: 'Something went wrong inside Fulcrum' },
} as const satisfies Record<
  string,
  { status: number; fault: 'caller' | 'author' | 'platform'; title: string }
>;

export type ErrorCode = keyof typeof ERRORS;
export type Fault = (typeof ERRORS)[ErrorCode]['fault'];

export interface ErrorOptions {
  cause?: unknown;
  /** Seconds a client should wait before it tries again; becomes `Retry-After`. */
  retryAfterS?: number;
  /** More about it, as data; shown in problem documents and logs. Never a secret. */
  details?: Readonly<Record<string, unknown>>;
}

/** An error of this project: what happened and what to do about it in `message`, who it concerns in `code`. */
export class FulcrumError extends Error {
  override readonly name = 'FulcrumError';
  readonly code: ErrorCode;
  readonly retryAfterS: number | null;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryAfterS = options.retryAfterS ?? null;
    this.details = options.details ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  /** What a called component refused with, of a `call-refused`; null of any other. */
  get refused(): FulcrumError | null {
    return this.code === 'call-refused' && this.cause instanceof FulcrumError ? this.cause : null;
  }

  get fault(): Fault {
    return (this.refused ?? this).#ownFault;
  }

  get #ownFault(): Fault {
    return ERRORS[this.code].fault;
  }

  get title(): string {
    return ERRORS[this.code].title;
  }
}

/** `value` as a FulcrumError: itself, or an `internal` one that keeps it as its cause. */
export function asFulcrumError(value: unknown, code: ErrorCode = 'internal'): FulcrumError {
  if (value instanceof FulcrumError) return value;
  return new FulcrumError(code, messageOf(value), { cause: value });
}

/** What `value`, thrown by whomever, says of itself. Never throws, whatever was thrown. */
export function messageOf(value: unknown): string {
  try {
    if (value instanceof Error) return value.message || value.name;
    return String(value);
  } catch {
    return 'an error that cannot be printed';
  }
}
