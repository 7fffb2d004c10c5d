import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import { trimmed } from '../../base/ows.ts';
import type { EventOrder } from '../../model/event.ts';
import { checkCount, checkName, isReference, orderOf, type AttributeValue } from './attributes.ts';
import { BYTES_TYPE, contentOf, JSON_TYPE } from './content.ts';
import { decodeHeaderValue } from './header-value.ts';
import { ALONE, invalidAttribute, quoted } from './invalid.ts';
import { isUtf8, readMediaType, type MediaType } from './media-type.ts';
import { readBatch, readStructured } from './read-json.ts';

/** Of what comes over HTTP, all events of a batch together. */
export const MAX_CLOUD_EVENTS_BYTES = 10 * 1024 ** 2;
export const STRUCTURED_TYPE = 'application/cloudevents+json';
export const BATCHED_TYPE = 'application/cloudevents-batch+json';

const PREFIX = 'ce-';

/**
 * Reads events from an HTTP message, in whichever of the three modes it is: CloudEvents 1.0.2, HTTP protocol binding and JSON format. The
 * other way round it is `writeCloudEvents`.
 *
 * What is read is ready to be published: `partitionkey` is its key; its source and id, by which the publisher tells whether it has come before, are kept with it. All
 * events of a batch are good, or it throws for the first that is not. A batch may be empty.
 *
 * @param contentType of the message; null: it names none.
 * @param fields of the message: name, value, … in any letter case.
 * @throws FulcrumError `event-invalid`, `media-type-unsupported` (what it is in is not understood) or `body-too-large`, and nothing else.
 */
export function readCloudEvents(
  contentType: string | null,
  fields: readonly string[],
  body: Uint8Array,
): readonly EventOrder[] {
  if (body.length > MAX_CLOUD_EVENTS_BYTES) {
    throw new FulcrumError(
      'body-too-large',
      `CloudEvents may have ${formatBytes(MAX_CLOUD_EVENTS_BYTES)} at most in one request, and these have ${formatBytes(body.length)}.`,
    );
  }
  const text = contentType === null ? null : trimmed(contentType);
  if (text === null || !text.toLowerCase().startsWith('application/cloudevents'))
    return [readBinary(text === '' ? null : text, fields, body)];
  const type = readMediaType(text);
  const essence = type === null ? null : `${type.type}/${type.subtype}`;
  if (type !== null && essence === STRUCTURED_TYPE) {
    checkCharset(type);
    return [readStructured(body)];
  }
  if (type !== null && essence === BATCHED_TYPE) {
    checkCharset(type);
    return readBatch(body);
  }
  throw unsupported(`The format ${quoted(text)} of CloudEvents is not understood`);
}

/** The `Content-Type` among a message's fields; null: there is none. Throws `event-invalid` where there are two. */
export function contentTypeIn(fields: readonly string[]): string | null {
  let found: string | null = null;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]!.toLowerCase() !== 'content-type') continue;
    if (found !== null) throw invalidAttribute(ALONE, 'datacontenttype', 'two Content-Type fields', 'one');
    found = fields[i + 1]!;
  }
  return found;
}

function readBinary(contentType: string | null, fields: readonly string[], body: Uint8Array): EventOrder {
  const attributes = attributesIn(fields);
  if (attributes.size === 0) {
    const what = contentType === null ? 'What has no Content-Type' : `What is in ${quoted(contentType)}`;
    throw unsupported(`${what} and has no ce-… fields is no CloudEvent`);
  }
  const isEmpty = body.length === 0;
  return orderOf(
    ALONE,
    attributes,
    contentOf(ALONE, contentType ?? (isEmpty ? JSON_TYPE : BYTES_TYPE), body),
  );
}

function attributesIn(fields: readonly string[]): Map<string, AttributeValue> {
  const attributes = new Map<string, AttributeValue>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const lower = fields[i]!.toLowerCase();
    if (!lower.startsWith(PREFIX)) continue;
    const name = lower.slice(PREFIX.length);
    checkName(ALONE, name);
    if (name === 'datacontenttype')
      throw invalidAttribute(ALONE, name, 'the field ce-datacontenttype', 'the field Content-Type');
    if (attributes.has(name)) throw invalidAttribute(ALONE, name, 'two fields', 'one');
    attributes.set(name, attributeValue(name, trimmed(fields[i + 1]!)));
    checkCount(ALONE, attributes.size);
  }
  return attributes;
}

function attributeValue(name: string, raw: string): string {
  const decoded = decodeHeaderValue(raw);
  if ('problem' in decoded)
    throw invalidAttribute(ALONE, name, decoded.problem, 'text in ASCII, all else percent-encoded as UTF-8');
  // Some senders do not encode what they send: a URI has percent signs of its own, and what it decodes to is then none.
  if ((name === 'source' || name === 'dataschema') && !isReference(decoded.value) && isReference(raw))
    return raw;
  return decoded.value;
}

function checkCharset(type: MediaType): void {
  if (!isUtf8(type)) throw unsupported(`JSON in the charset ${quoted(type.charset!)} is not understood`);
}

function unsupported(what: string): FulcrumError {
  return new FulcrumError(
    'media-type-unsupported',
    `${what}: send ${STRUCTURED_TYPE}, ${BATCHED_TYPE} (UTF-8), or any other content with ce-specversion, ce-id, ce-source and ce-type.`,
    { details: { accepted: [STRUCTURED_TYPE, BATCHED_TYPE] } },
  );
}
