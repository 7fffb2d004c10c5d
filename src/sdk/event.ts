import { FulcrumError, messageOf } from '../base/errors.ts';
import {
  MAX_EVENT_BYTES,
  MAX_EVENT_KEY_LENGTH,
  MAX_EVENT_SUBJECT_LENGTH,
  isEventType,
  isJsonType,
} from '../base/event-limits.ts';
import { delayMs } from './delay.ts';
import { eventJson } from './event-json.ts';
import type { PublishOptions } from './handler-types.ts';

const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';
const KNOWN = ['key', 'delay', 'dedupe', 'subject', 'contentType'];

/** An event that has been looked at, ready to leave the author's process. */
export interface MadeEvent {
  readonly type: string;
  /** JSON as text, or bytes. */
  readonly data: string | Uint8Array;
  readonly contentType: string;
  readonly key: string | null;
  readonly delayMs: number;
  readonly dedupe: string | null;
  readonly subject: string | null;
}

/** What an author publishes, as an event; later changes of `data` do not reach it. Throws `event-invalid`, which says what is wrong with it. */
export function eventOf(type: unknown, data: unknown, options: PublishOptions = {}): MadeEvent {
  const named = typeof type === 'string' && isEventType(type);
  const what = named ? `The event ${type} cannot be published` : 'An event cannot be published';
  const refuse = (why: string): never => {
    throw new FulcrumError('event-invalid', `${what}: ${why}.`);
  };
  if (!named) {
    const found = typeof type === 'string' ? JSON.stringify(type.slice(0, 100)) : `a ${typeof type}`;
    return refuse(
      `its type is ${found}; 1 to 100 letters, digits and . _ : / - between them are right, such as 'order.paid'`,
    );
  }
  for (const name of Object.keys(options))
    if (!KNOWN.includes(name)) refuse(`there is no option '${name}', but ${KNOWN.join(', ')}`);

  const text = (name: 'key' | 'dedupe' | 'subject', longest: number): string | null => {
    const given: unknown = options[name];
    if (given === undefined) return null;
    if (typeof given !== 'string') return refuse(`its ${name} is a ${typeof given}, and must be a string`);
    if (given === '' || given.length > longest || given.includes('\0') || !given.isWellFormed())
      refuse(`its ${name} must have 1 to ${longest} characters, and be sound Unicode without NUL`);
    return given;
  };

  const bytes = bytesOf(data);
  const contentType = options.contentType ?? (bytes === null ? JSON_TYPE : BYTES_TYPE);
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:;[\x20-\x7e]*)?$/.test(contentType) || contentType.length > 256)
    refuse("its contentType is no media type such as 'image/png'");
  if (bytes === null && !isJsonType(contentType))
    refuse(`its contentType is ${contentType}, and its data no bytes: give a Uint8Array`);

  let said: string | Uint8Array;
  try {
    said = bytes ?? eventJson(data);
  } catch (error) {
    return refuse(messageOf(error));
  }
  if (sizeOf(said) > MAX_EVENT_BYTES)
    refuse('its data takes more than 1 MB. Keep it elsewhere, and publish where');
  return {
    type,
    data: said,
    contentType,
    key: text('key', MAX_EVENT_KEY_LENGTH),
    delayMs: options.delay === undefined ? 0 : delayMs(options.delay, what),
    dedupe: text('dedupe', MAX_EVENT_KEY_LENGTH),
    subject: text('subject', MAX_EVENT_SUBJECT_LENGTH),
  };
}

/** A copy: what is published is what was there when it was. */
function bytesOf(data: unknown): Uint8Array | null {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer)
    : null;
}

function sizeOf(data: string | Uint8Array): number {
  if (typeof data !== 'string') return data.length;
  // No character takes more than three bytes for each of its units.
  return data.length * 3 > MAX_EVENT_BYTES ? new TextEncoder().encode(data).length : data.length;
}
