import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { EventOrder } from '../../model/event.ts';
import { checkCount, checkName, orderOf, type AttributeValue, type EventContent } from './attributes.ts';
import { contentOf, JSON_TYPE, MOST_DEPTH, readContentType, readJson } from './content.ts';
import { ALONE, invalidAttribute, invalidEvent, quoted, type Place } from './invalid.ts';
import { itemsOf, membersOf, skipSpace, type Span } from './json-text.ts';
import { isJson, isUtf8 } from './media-type.ts';

/** Events of one batch, and their data together: what can be kept in one transaction. */
const MOST_BATCHED = 1_000;
const MOST_BATCHED_BYTES = 8 * 1024 ** 2;

const INTEGER = /^-?(?:0|[1-9]\d{0,15})$/;
const encoder = new TextEncoder();

/** One event in the JSON format. Throws as {@link readBatch} does. */
export function readStructured(body: Uint8Array): EventOrder {
  const text = readJson(ALONE, 'the body', body, MOST_DEPTH + 1);
  return eventAt(ALONE, text, skipSpace(text, 0));
}

/** Those of a list in the JSON format. Throws `event-invalid`, which names the event, and `body-too-large`. */
export function readBatch(body: Uint8Array): EventOrder[] {
  const text = readJson(ALONE, 'the body', body, MOST_DEPTH + 2);
  const at = skipSpace(text, 0);
  if (text[at] !== '[') throw invalidEvent(ALONE, 'the body', kindOf(text, at), 'a list of events');
  const items = itemsOf(text, at, MOST_BATCHED);
  if (items.length > MOST_BATCHED) {
    throw new FulcrumError(
      'body-too-large',
      `A batch may have ${MOST_BATCHED} events at most, and this one has more. Send several batches.`,
    );
  }
  let bytes = 0;
  return items.map(({ from }, index) => {
    const order = eventAt({ index }, text, from);
    bytes += order.data.length;
    if (bytes > MOST_BATCHED_BYTES) {
      throw new FulcrumError(
        'body-too-large',
        `The events of a batch may have ${formatBytes(MOST_BATCHED_BYTES)} of data together at most, and these have more. Send several batches.`,
      );
    }
    return order;
  });
}

/**
 * The event whose text begins at `at`. A name that comes twice is refused: readers differ in which of the two counts, and what was checked
 * would not be what is acted on. Within `data` that is the sender's own business.
 */
function eventAt(place: Place, text: string, at: number): EventOrder {
  if (text[at] !== '{') throw invalidEvent(place, 'it', kindOf(text, at), 'an object');
  const attributes = new Map<string, AttributeValue>();
  const seen = new Set<string>();
  let data: Span | null = null;
  let base64: Span | null = null;
  for (const { name, from, to } of membersOf(text, at)) {
    if (seen.has(name)) throw invalidAttribute(place, name, 'it twice', 'it once');
    seen.add(name);
    checkCount(place, seen.size);
    if (name === 'data') data = { from, to };
    else if (name === 'data_base64') base64 = isNull(text, from) ? null : { from, to };
    else {
      checkName(place, name);
      // JSON format 2.2: null is as good as nothing.
      if (!isNull(text, from)) attributes.set(name, valueOf(place, name, text, { from, to }));
    }
  }
  return orderOf(place, attributes, contentIn(place, attributes, text, data, base64));
}

function contentIn(
  place: Place,
  attributes: ReadonlyMap<string, AttributeValue>,
  text: string,
  data: Span | null,
  base64: Span | null,
): EventContent {
  const contentType = attributes.get('datacontenttype') ?? JSON_TYPE;
  if (typeof contentType !== 'string')
    throw invalidAttribute(place, 'datacontenttype', `the value ${String(contentType)}`, 'a text');
  const type = readContentType(place, contentType);
  if (base64 !== null) {
    if (data !== null && !isNull(text, data.from))
      throw invalidEvent(place, 'its content', 'both data and data_base64', 'one of them');
    return contentOf(place, contentType, bytesOf(place, text, base64));
  }
  if (data === null) return contentOf(place, contentType, null);
  if (isJson(type)) return contentOf(place, contentType, encoder.encode(text.slice(data.from, data.to)));
  if (isNull(text, data.from)) return contentOf(place, contentType, null);
  if (text[data.from] !== '"') {
    const expected = `a text, for its datacontenttype is ${quoted(contentType)}`;
    throw invalidEvent(place, 'its data', kindOf(text, data.from), expected);
  }
  const written = JSON.parse(text.slice(data.from, data.to)) as string;
  if (!written.isWellFormed())
    throw invalidEvent(place, 'its data', 'half of a surrogate pair', 'text that can be UTF-8');
  if (!isUtf8(type)) {
    const expected = 'UTF-8, or the bytes as data_base64';
    throw invalidEvent(place, 'its data', `text in the charset ${quoted(type.charset!)}`, expected);
  }
  return contentOf(place, contentType, encoder.encode(written));
}

function bytesOf(place: Place, text: string, { from, to }: Span): Uint8Array {
  const expected = 'a text in Base64 (RFC 4648, 4)';
  if (text[from] !== '"') throw invalidEvent(place, 'data_base64', kindOf(text, from), expected);
  const written = JSON.parse(text.slice(from, to)) as string;
  const bytes = Buffer.from(written, 'base64');
  // Node's reader passes over what is none; what it reads is written as it was only where all of it was.
  if (bytes.toString('base64') !== written)
    throw invalidEvent(place, 'data_base64', 'what is no Base64', expected);
  return bytes;
}

function valueOf(place: Place, name: string, text: string, { from, to }: Span): AttributeValue {
  const written = text.slice(from, to);
  switch (text.charAt(from)) {
    case '"':
      return JSON.parse(written) as string;
    case 't':
      return true;
    case 'f':
      return false;
    case '{':
    case '[':
      throw invalidAttribute(place, name, kindOf(text, from), 'a text, a whole number, true or false');
    default:
      // 1.0 and 1e3 are whole numbers, too, but not as the JSON format has them.
      if (!INTEGER.test(written))
        throw invalidAttribute(place, name, written.slice(0, 40), 'a whole number, written as one');
      return Number(written);
  }
}

function isNull(text: string, at: number): boolean {
  return text[at] === 'n';
}

/** What stands at `at`, in words. */
function kindOf(text: string, at: number): string {
  switch (text.charAt(at)) {
    case '{':
      return 'an object';
    case '[':
      return 'a list';
    case '"':
      return 'a text';
    case 'n':
      return 'null';
    case 't':
      return 'true';
    case 'f':
      return 'false';
    default:
      return 'a number';
  }
}
