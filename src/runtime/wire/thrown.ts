import { ERRORS, messageOf, type ErrorCode, type FulcrumError } from '../../base/errors.ts';
import type { ThrownError } from '../../model/invocation.ts';
import { MAX_CAUSES } from './limits.ts';
import { readJson } from './messages.ts';
import { protocolError } from './protocol-error.ts';

/** A whole chain of causes, as JSON, stays well below a frame's length. */
const MAX_MESSAGE_LENGTH = 8 * 1024;
const MAX_STACK_LENGTH = 8 * 1024;
const MAX_NAME_LENGTH = 256;
/** A year; what is further off is no pause. */
const MAX_RETRY_AFTER_S = 365 * 86_400;

/** How a stream ended that did not end well. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the author's code threw, if that was it. */
  readonly thrown: ThrownError | null;
  readonly cpuMicros: number;
  /** When it may be tried again, in seconds; the server says so of calls. Older ones do not. */
  readonly retryAfterS?: number | null;
}

/** `value`, thrown by whomever, as data. Never throws, whatever was thrown. */
export function toThrown(value: unknown, depth = 0): ThrownError {
  try {
    if (value instanceof Error || isErrorLike(value)) {
      // Author's errors may hold anything at all under these names.
      const error = value as {
        [key in 'name' | 'message' | 'stack' | 'code' | 'cause' | 'retryAfterS']?: unknown;
      };
      const code = error.code;
      return {
        name: limit(String(error.name), MAX_NAME_LENGTH),
        message: limit(String(error.message), MAX_MESSAGE_LENGTH),
        stack: typeof error.stack === 'string' ? limit(error.stack, MAX_STACK_LENGTH) : null,
        code:
          typeof code === 'string' || typeof code === 'number' ? limit(String(code), MAX_NAME_LENGTH) : null,
        cause:
          error.cause === undefined || error.cause === null || depth + 1 >= MAX_CAUSES
            ? null
            : toThrown(error.cause, depth + 1),
        ...retryAfter(error.retryAfterS),
      };
    }
  } catch {
    // A getter that throws: what it is cannot be told, that it is can.
  }
  return {
    name: 'Error',
    message: limit(messageOf(value), MAX_MESSAGE_LENGTH),
    stack: null,
    code: null,
    cause: null,
  };
}

/** What structured clone keeps the class of; every other error comes back as an Error with its name. */
const KINDS: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** A real error again, for whoever called to catch. Where nothing is known of where it came from it has no frames: ours would say nothing. */
export function fromThrown(thrown: ThrownError): Error {
  const kind = Object.hasOwn(KINDS, thrown.name) ? KINDS[thrown.name]! : Error;
  const error = new kind(
    thrown.message,
    thrown.cause === null ? undefined : { cause: fromThrown(thrown.cause) },
  );
  define(error, 'name', thrown.name);
  if (thrown.code !== null) define(error, 'code', thrown.code, true);
  define(error, 'stack', thrown.stack ?? `${thrown.name}: ${thrown.message}`);
  if (typeof thrown.retryAfterS === 'number') Object.assign(error, { retryAfterS: thrown.retryAfterS });
  return error;
}

export function readThrown(value: unknown, depth = 0): ThrownError | null {
  if (typeof value !== 'object' || value === null || depth >= MAX_CAUSES) return null;
  const { name, message, stack, code, cause, retryAfterS } = value as Record<string, unknown>;
  return {
    name: text(name, MAX_NAME_LENGTH) ?? 'Error',
    message: text(message, MAX_MESSAGE_LENGTH) ?? '',
    stack: text(stack, MAX_STACK_LENGTH),
    code: text(code, MAX_NAME_LENGTH),
    cause: readThrown(cause, depth + 1),
    ...retryAfter(retryAfterS),
  };
}

/** How an instance may say that its stream ended: what only the platform can know is not among it. */
const OF_INSTANCE: ReadonlySet<string> = new Set<ErrorCode>([
  'bad-request',
  'handler-error',
  'handler-missing',
  'bad-response',
  'call-unknown-function',
  'call-not-cloneable',
  'call-too-large',
]);

/** @param from who sent it: an instance may not say everything. */
export function readFailure(payload: Buffer, from: 'server' | 'instance'): Failure {
  const { code, message, thrown, cpuMicros, retryAfterS } = readJson(payload);
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) {
    throw protocolError('a FAILED without a known code');
  }
  if (from === 'instance' && !OF_INSTANCE.has(code)) throw protocolError(`a FAILED with the code ${code}`);
  return {
    code: code as ErrorCode,
    message: text(message, MAX_MESSAGE_LENGTH) ?? '',
    thrown: readThrown(thrown),
    cpuMicros: typeof cpuMicros === 'number' && cpuMicros >= 0 && cpuMicros <= 0xffff_ffff ? cpuMicros : 0,
    retryAfterS: from === 'server' && typeof retryAfterS === 'number' ? retryAfterS : null,
  };
}

/** What a FulcrumError says, as what a caller's side throws. */
export function thrownOf(error: FulcrumError): ThrownError {
  const { name, message, code, retryAfterS } = error;
  return { name, message, stack: null, code, cause: null, ...retryAfter(retryAfterS) };
}

/** Seconds, where that is what `value` says; nothing else is taken along. */
function retryAfter(value: unknown): { retryAfterS?: number } {
  return typeof value === 'number' && value >= 0 && value <= MAX_RETRY_AFTER_S ? { retryAfterS: value } : {};
}

function define(error: Error, key: string, value: string, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}

function isErrorLike(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Error]';
}

function text(value: unknown, maxLength: number): string | null {
  return typeof value === 'string' ? limit(value, maxLength) : null;
}

function limit(value: string, maxLength: number): string {
  return value.length <= maxLength ? value : `${value.slice(0, maxLength)}…`;
}
