import { isUtf8 } from 'node:buffer';
import { formatBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';
import { isEventType, isJsonType, MAX_EVENT_SUBJECT_LENGTH } from '../base/event-limits.ts';
import {
  MAX_EVENT_BYTES,
  MAX_EVENT_DELAY_MS,
  MAX_EVENT_KEY_LENGTH,
  type EventOrder,
} from '../model/event.ts';
import { faultIn } from './cloudevents/json-text.ts';

/** Events of one `publish`: they go in one transaction. */
const MOST_PUBLISHED = 1_000;
const MOST_PUBLISHED_BYTES = 8 * 1024 ** 2;
const MAX_ID_LENGTH = 256;
const MAX_SOURCE_LENGTH = 1_024;
const MAX_CONTENT_TYPE_LENGTH = 256;
/** Of extension attributes: CloudEvents asks for names of lower-case letters and digits, and says nothing of how many. */
const MOST_EXTENSIONS = 64;
const MAX_EXTENSION_LENGTH = 4_096;
/** The largest time that a Date can say. */
const MAX_TIME_MS = 8.64e15;
const SHOWN_CHARS = 40;

/** Of CloudEvents 1.0, "Type System": control characters and halves of surrogate pairs are in no string; nor can every database keep NUL. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** RFC 9110, 8.3.1. */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+[ \t]*(?:;[\x20-\x7e\t]*)?$/;

/** Throws `event-invalid` or `call-too-large` where the events are none that can be published, with the place in what was given. */
export function checkOrders(orders: readonly EventOrder[]): void {
  if (orders.length > MOST_PUBLISHED)
    throw invalid(`${orders.length} events were published at once; at most ${MOST_PUBLISHED} can be.`);
  let bytes = 0;
  for (const [i, order] of orders.entries()) {
    checkOrder(order, orders.length === 1 ? '' : ` (event ${i + 1} of ${orders.length})`);
    bytes += order.data.length;
  }
  if (bytes > MOST_PUBLISHED_BYTES)
    throw new FulcrumError(
      'call-too-large',
      `Events that are published at once may have ${formatBytes(MOST_PUBLISHED_BYTES)} of data together; these have ${formatBytes(bytes)}.`,
    );
}

function checkOrder(order: EventOrder, place: string): void {
  const { type, data, contentType, key, delayMs, dedupe, id, source, subject, timeMs, extensions } = order;
  if (typeof type !== 'string' || !isEventType(type))
    throw invalid(
      `The event's type${place} is ${shown(type)}. A type such as 'order.paid' has letters, digits and . _ : / - between them, at most 100.`,
    );
  const what = `of the event '${type}'${place}`;
  checkText(contentType, `The content type ${what}`, MAX_CONTENT_TYPE_LENGTH);
  if (!MEDIA_TYPE.test(contentType))
    throw invalid(
      `The content type ${what} is ${shown(contentType)}, which is no media type such as 'application/json'.`,
    );
  checkText(key, `The key ${what}`, MAX_EVENT_KEY_LENGTH);
  checkText(dedupe, `The dedupe key ${what}`, MAX_EVENT_KEY_LENGTH);
  checkText(id, `The id ${what}`, MAX_ID_LENGTH);
  checkText(source, `The source ${what}`, MAX_SOURCE_LENGTH);
  checkText(subject, `The subject ${what}`, MAX_EVENT_SUBJECT_LENGTH);
  if (!Number.isFinite(delayMs) || delayMs < 0 || delayMs > MAX_EVENT_DELAY_MS)
    throw invalid(`The delay ${what} is ${delayMs} ms. It may be anything from 0 to 365 days.`);
  if (timeMs !== null && !(Math.abs(timeMs) <= MAX_TIME_MS))
    throw invalid(`The time ${what} is ${timeMs}, which is no time in ms since the epoch.`);
  checkExtensions(extensions, what);
  if (data.length > MAX_EVENT_BYTES)
    throw new FulcrumError(
      'call-too-large',
      `The data ${what} has ${formatBytes(data.length)}; at most ${formatBytes(MAX_EVENT_BYTES)} can be published. Keep it elsewhere, and publish where.`,
    );
  if (isJsonType(contentType)) checkJson(data, what);
}

/**
 * It is put into batches as it is: what is no JSON would break those of others. Where it goes wrong is told by its place alone, for logs hold
 * what is told, and must not hold what stands there, as the message of `JSON.parse` does.
 */
function checkJson(data: Uint8Array, what: string): void {
  if (!isUtf8(data)) throw invalid(`The data ${what} is not UTF-8, as JSON is.`);
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  try {
    JSON.parse(text);
  } catch {
    const at = faultIn(text, text.length)?.at ?? text.length;
    const found = text === '' ? 'it is empty' : `it goes wrong at character ${at + 1}`;
    throw invalid(`The data ${what} is no JSON, as its content type says: ${found}.`);
  }
}

function checkExtensions(extensions: EventOrder['extensions'], what: string): void {
  const all = Object.entries(extensions);
  if (all.length > MOST_EXTENSIONS)
    throw invalid(
      `There are ${all.length} extension attributes ${what}; at most ${MOST_EXTENSIONS} are kept.`,
    );
  for (const [name, value] of all) {
    if (!/^[a-z0-9]{1,64}$/.test(name))
      throw invalid(
        `An extension attribute ${what} has the name ${shown(name)}: a name is of 1 to 64 characters of a-z and 0-9.`,
      );
    if (typeof value === 'boolean') continue;
    // CloudEvents 1.0, "Type System": a signed integer of 32 bits.
    if (typeof value === 'number') {
      if (Number.isInteger(value) && Math.abs(value) <= 2 ** 31) continue;
      throw invalid(`The extension attribute '${name}' ${what} is ${value}, which is no integer of 32 bits.`);
    }
    checkText(value, `The extension attribute '${name}' ${what}`, MAX_EXTENSION_LENGTH, true);
  }
}

function checkText(text: string | null, what: string, most: number, mayBeEmpty = false): void {
  if (text === null) return;
  if (typeof text !== 'string') throw invalid(`${what} is ${shown(text)}, which is no text.`);
  if (text === '' && !mayBeEmpty) throw invalid(`${what} is empty.`);
  if (text.length > most) throw invalid(`${what} has ${text.length} characters; it may have ${most}.`);
  if (CONTROL.test(text) || !text.isWellFormed())
    throw invalid(`${what} has a control character, or half of a surrogate pair, in it: ${shown(text)}.`);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value);
  return JSON.stringify(text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text);
}

function invalid(message: string): FulcrumError {
  return new FulcrumError('event-invalid', message);
}
