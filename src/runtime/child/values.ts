import { DefaultDeserializer, Serializer } from 'node:v8';
import { types } from 'node:util';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { Payload } from '../../model/invocation.ts';
import { MAX_PAYLOAD_BYTES } from '../wire/limits.ts';
import { isTextValue, readTextValue, writeTextValue } from '../wire/text-value.ts';
import { tooLarge } from '../wire/too-large.ts';
import type { Incoming, Packed, What } from './crossing.ts';
import { isAbortSignal, isReadableStream } from './object-kinds.ts';
import { RefusedValue } from './refused-value.ts';
import { applyMarks } from './value-marks.ts';
import { snapshotOf, type Snapshot } from './value-snapshot.ts';

/**
 * A value as bytes, by the rules of structured clone: as text where JSON tells all of it, else in the engine's own format; whoever reads that with
 * `v8.deserialize` gets what structured clone gives. What goes beyond it follows: a number, 1 where marks come behind it.
 * Streams and signals are numbered, and not touched. Throws `call-not-cloneable`, naming the place in the value, or `call-too-large`.
 */
export function packValue(value: unknown, what: What): Packed {
  const taken = snapshot(value, what, 'bytes');
  return { bytes: bytesOf(taken, what), passed: taken.passed };
}

function bytesOf(taken: Snapshot, what: What): Uint8Array {
  const bytes = taken.isText ? writeTextValue(taken.value) : enginesFormat(taken, what);
  if (bytes.length > MAX_PAYLOAD_BYTES) throw tooLarge(what);
  return bytes;
}

function enginesFormat({ value, marks }: Snapshot, what: What): Uint8Array {
  const serializer = new Serializer();
  serializer.writeHeader();
  try {
    serializer.writeValue(value);
    serializer.writeUint32(marks === null ? 0 : 1);
    if (marks !== null) serializer.writeValue(marks);
  } catch (error) {
    throw notCloneable(error, what);
  }
  return serializer.releaseBuffer();
}

/** Throws where `bytes` are none that {@link packValue} has made, or streams and signals are missing. */
export function unpackValue(bytes: Uint8Array, passed: readonly Incoming[]): unknown {
  if (isTextValue(bytes)) return readTextValue(bytes);
  const deserializer = new PayloadDeserializer(bytes);
  deserializer.readHeader();
  const value: unknown = deserializer.readValue();
  return deserializer.isMarked() ? applyMarks(value, deserializer.readValue(), passed) : value;
}

/**
 * What {@link unpackValue} gives of what {@link packValue} gives, without the bytes; they are made, and counted, only of what may take more
 * than are allowed.
 * @param passed makes what comes out from the streams and signals that go in, by their numbers.
 */
export function cloneValue(
  value: unknown,
  what: What,
  passed: (outgoing: Packed['passed']) => readonly Incoming[],
): unknown {
  const taken = snapshot(value, what, 'clone');
  if (taken.mostBytes > MAX_PAYLOAD_BYTES) bytesOf(taken, what);
  if (taken.isClone) return taken.value;
  try {
    const [copied, marks] = structuredClone([taken.value, taken.marks]);
    return marks === null ? copied : applyMarks(copied, marks, passed(taken.passed));
  } catch (error) {
    throw notCloneable(error, what);
  }
}

/** As {@link packValue} where nothing but plain values can be taken, in either encoding. */
export function encodeValue(value: unknown, encoding: Payload['encoding'], what: What): Uint8Array {
  if (encoding === 'json') return encodeJson(value, what);
  const { bytes, passed } = packValue(value, what);
  if (passed.length > 0) throw notCloneable(new Error(`there is a ${passed[0]!.kind} among them`), what);
  return bytes;
}

/** Throws where `bytes` are none that {@link encodeValue} has made. */
export function decodeValue(bytes: Uint8Array, encoding: Payload['encoding']): unknown {
  if (encoding === 'clone') return unpackValue(bytes, []);
  return bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
}

function encodeJson(value: unknown, what: What): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = Buffer.from(JSON.stringify(value, refuseChannels) ?? 'null');
  } catch (error) {
    throw notCloneable(error, what);
  }
  if (bytes.length > MAX_PAYLOAD_BYTES) throw tooLarge(what);
  return bytes;
}

/** In JSON they would come out as `{}`. */
function refuseChannels(_key: string, item: unknown): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
  if (isReadableStream(item)) throw new Error('there is a stream in it, which JSON cannot hold');
  if (isAbortSignal(item)) throw new Error('there is a signal in it, which JSON cannot hold');
  return item;
}

function snapshot(value: unknown, what: What, use: 'bytes' | 'clone'): Snapshot {
  try {
    return snapshotOf(value, use);
  } catch (error) {
    throw notCloneable(error, what);
  }
}

function notCloneable(error: unknown, what: What): FulcrumError {
  const root = what === 'result' ? 'the result' : 'the arguments';
  const place =
    error instanceof RefusedValue
      ? `${root}${error.path} is a value that stays in its process: ${error.what}`
      : messageOf(error);
  const message = `A call's ${what} cannot cross to another component: ${place}. Pass plain data.`;
  return new FulcrumError('call-not-cloneable', message, { cause: error });
}

/** Of {@link packValue}'s bytes it reads what the engine reads; of `v8.serialize`'s the views of memory too, as copies. */
class PayloadDeserializer extends DefaultDeserializer {
  isMarked(): boolean {
    try {
      return this.readUint32() === 1;
    } catch {
      return false; // Made by plain v8.serialize: nothing follows.
    }
  }

  _readHostObject(): unknown {
    // The engine's are views of the payload itself, and so of whatever memory that is in.
    const read = Reflect.get(DefaultDeserializer.prototype, '_readHostObject') as () => ArrayBufferView;
    const view = read.call(this);
    const bytes = new Uint8Array(view.byteLength);
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    if (types.isUint8Array(view)) return bytes;
    if (types.isDataView(view)) return new DataView(bytes.buffer);
    return new (view.constructor as Float64ArrayConstructor)(bytes.buffer);
  }
}
