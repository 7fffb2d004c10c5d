import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import { MAX_EVENT_BYTES } from '../../model/event.ts';
import type { EventContent } from './attributes.ts';
import { invalidAttribute, invalidEvent, quoted, subject, type Place } from './invalid.ts';
import { faultIn, skipSpace } from './json-text.ts';
import { isJson, readMediaType, type MediaType } from './media-type.ts';

/** How deep objects and lists may lie in one another: .NET's reader takes 64, Jackson's 1,000; nobody means more. */
export const MOST_DEPTH = 128;
export const JSON_TYPE = 'application/json';
/** RFC 9110, 8.3: what a body may be taken for that says nothing of itself. */
export const BYTES_TYPE = 'application/octet-stream';

const NULL = new TextEncoder().encode('null');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `datacontenttype` as it was given, with what it says. Throws `event-invalid`. */
export function readContentType(place: Place, text: string): MediaType {
  const type = readMediaType(text);
  if (type === null) {
    const expected = "a media type such as 'application/json'";
    throw invalidAttribute(place, 'datacontenttype', quoted(text), expected);
  }
  return type;
}

/**
 * Content as it is kept: bytes, and what they are. JSON is checked, for who takes the event reads it as such. An event without any is
 * taken for one whose content is JSON's `null`, unless it says that it is something else. Throws `event-invalid` and `body-too-large`.
 */
export function contentOf(place: Place, contentType: string, bytes: Uint8Array | null): EventContent {
  const type = readContentType(place, contentType);
  const json = isJson(type);
  if (bytes === null || bytes.length === 0) return { contentType, data: json ? NULL : new Uint8Array(0) };
  if (bytes.length > MAX_EVENT_BYTES) throw tooMuchData(place, bytes.length);
  if (json) readJson(place, 'its data', bytes, MOST_DEPTH);
  return { contentType, data: bytes };
}

/** The text of JSON, which is valid. Throws `event-invalid` where it is none, no UTF-8, or deeper than `depth`. */
export function readJson(place: Place, what: string, bytes: Uint8Array, depth: number): string {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalidEvent(place, what, 'bytes that are no UTF-8', 'JSON in UTF-8');
  }
  const fault = faultIn(text, depth);
  if (fault === null) return text;
  if (fault.kind === 'deep') {
    const found = `objects or lists in more than ${MOST_DEPTH} others`;
    throw invalidEvent(place, what, found, `at most ${MOST_DEPTH}`);
  }
  // By its place alone: logs must not hold what stands there.
  const found =
    skipSpace(text, 0) === text.length ? 'nothing' : `what is no JSON at character ${fault.at + 1}`;
  throw invalidEvent(place, what, found, 'JSON');
}

function tooMuchData(place: Place, bytes: number): FulcrumError {
  return new FulcrumError(
    'body-too-large',
    `${subject(place)}: its data has ${formatBytes(bytes)}, and an event's may have ${formatBytes(MAX_EVENT_BYTES)} at most.`,
  );
}
