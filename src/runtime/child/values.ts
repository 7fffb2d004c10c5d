import { DefaultDeserializer, DefaultSerializer } from 'node:v8';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { Payload } from '../../model/invocation.ts';
import { tooLarge } from '../wire/too-large.ts';
import { MAX_PAYLOAD_BYTES } from '../wire/limits.ts';
import { uncloneablePath, errorsIn } from './value-walk.ts';

/** What structured clone forgets of an error, in the order in which {@link errorsIn} meets the errors of a value. */
type ErrorExtras = { name: string; code?: string | number }[];

/**
 * Turns a value into bytes. In `clone` what structured clone forgets of errors, their name and code, follows the value as
 * a second one, which whoever reads only the first does not see.
 * Throws `call-not-cloneable`, naming the place in the value, or `call-too-large`.
 */
export function encodeValue(
  value: unknown,
  encoding: Payload['encoding'],
  what: 'arguments' | 'result',
): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = encoding === 'json' ? Buffer.from(JSON.stringify(value) ?? 'null') : serialize(value);
  } catch (error) {
    const path = encoding === 'json' ? null : uncloneablePath(value);
    const root = what === 'result' ? 'the result' : 'the arguments';
    const place = path === null ? messageOf(error) : `${root}${path} is a value that stays in its process`;
    const message = `A call's ${what} cannot cross to another component: ${place}. Pass plain data.`;
    throw new FulcrumError('call-not-cloneable', message, { cause: error });
  }
  if (bytes.length > MAX_PAYLOAD_BYTES) throw tooLarge(what);
  return bytes;
}

/** Throws where `bytes` are none that {@link encodeValue} has made. */
export function decodeValue(bytes: Uint8Array, encoding: Payload['encoding']): unknown {
  if (encoding === 'json')
    return bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
  const deserializer = new DefaultDeserializer(bytes);
  deserializer.readHeader();
  const value: unknown = deserializer.readValue();
  const errors = errorsIn(value);
  if (errors.length === 0) return value;
  restore(errors, deserializer);
  return value;
}

function serialize(value: unknown): Uint8Array {
  const serializer = new DefaultSerializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  const errors = errorsIn(value);
  if (errors.length > 0) {
    const extras: ErrorExtras = errors.map((error) => {
      const { name, code } = error as Error & { code?: unknown };
      return typeof code === 'string' || typeof code === 'number' ? { name, code } : { name };
    });
    serializer.writeValue(extras);
  }
  return serializer.releaseBuffer();
}

function restore(errors: readonly Error[], deserializer: DefaultDeserializer): void {
  let extras: unknown;
  try {
    extras = deserializer.readValue();
  } catch {
    return; // Made by plain v8.serialize: there is no second value.
  }
  if (!Array.isArray(extras)) return;
  for (const [i, error] of errors.entries()) {
    const { name, code } = (extras[i] ?? {}) as ErrorExtras[number];
    if (typeof name === 'string' && name !== error.name) {
      Object.defineProperty(error, 'name', {
        value: name,
        configurable: true,
        writable: true,
        enumerable: false,
      });
    }
    if (code !== undefined) Object.assign(error, { code });
  }
}
