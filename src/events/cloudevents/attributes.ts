import { MAX_EVENT_KEY_LENGTH, type EventOrder } from '../../model/event.ts';
import { invalidAttribute, invalidEvent, quoted, type Place } from './invalid.ts';
import { readTimestamp } from './timestamp.ts';

/** An attribute's value: text, a number or a truth value of JSON; of a header always text. */
export type AttributeValue = string | number | boolean;

export interface EventContent {
  readonly contentType: string;
  readonly data: Uint8Array;
}

/** The extension that other systems call what is a key here: github.com/cloudevents/spec, extensions/partitioning.md. */
export const KEY_ATTRIBUTE = 'partitionkey';
export const SPEC_VERSION = '1.0';
/** Attributes that are no extensions, or mean something of their own here. */
export const OWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  KEY_ATTRIBUTE,
]);

/** The specification advises at most 20 characters. */
const LONGEST_NAME = 64;
const MOST_ATTRIBUTES = 64;
const LONGEST_ID = 256;
const LONGEST_REFERENCE = 1_024;
const LONGEST_EXTENSION = 4_096;
const LEAST_INTEGER = -(2 ** 31);
const LARGEST_INTEGER = 2 ** 31 - 1;

const TYPE = /^[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,98}[A-Za-z0-9])?$/;
/** What the type system of 1.0.2 forbids in a String: control characters, noncharacters and halves of surrogate pairs. */
const FORBIDDEN = /[\p{Control}\p{Noncharacter_Code_Point}\p{Surrogate}]/u;
/** RFC 3986, 2 and 3: what may stand in a reference at all. */
const REFERENCE = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;

/** Throws `event-invalid` where `name` is no attribute's: of lower-case letters and digits, and not `data`. */
export function checkName(place: Place, name: string): void {
  const known = name.toLowerCase();
  if (name !== known && OWN_ATTRIBUTES.has(known))
    throw invalidAttribute(place, name, 'capital letters', quoted(known));
  if (!/^[a-z0-9]+$/.test(name)) {
    throw invalidAttribute(
      place,
      name,
      'a name of other signs',
      'lower-case letters a to z and digits, and nothing else',
    );
  }
  if (name.length > LONGEST_NAME) {
    throw invalidAttribute(place, name, `${name.length} characters`, `a name of at most ${LONGEST_NAME}`);
  }
  if (name === 'data') throw invalidAttribute(place, name, 'the name of the content', 'another name');
}

/** Throws `event-invalid` where an event has more attributes than are taken: 64. */
export function checkCount(place: Place, count: number): void {
  if (count > MOST_ATTRIBUTES)
    throw invalidEvent(place, 'its attributes', String(count), `at most ${MOST_ATTRIBUTES}`);
}

/**
 * An event of attributes and content. What is left of the attributes once those that mean something here are taken out are extensions;
 * `dataschema` is kept with them. Throws `event-invalid`, which names the attribute.
 */
export function orderOf(
  place: Place,
  attributes: ReadonlyMap<string, AttributeValue>,
  { contentType, data }: EventContent,
): EventOrder {
  const version = required(place, attributes, 'specversion', quoted(SPEC_VERSION));
  if (version !== SPEC_VERSION)
    throw invalidAttribute(place, 'specversion', quoted(version), quoted(SPEC_VERSION));
  const id = bounded(place, 'id', required(place, attributes, 'id', 'a text'), LONGEST_ID);
  const source = required(place, attributes, 'source', "a URI-reference such as '/orders'");
  checkReference(place, 'source', source);
  const type = required(place, attributes, 'type', "a type such as 'order.paid'");
  if (!TYPE.test(type)) {
    const expected = "letters, digits and . _ : / - between them, at most 100, such as 'order.paid'";
    throw invalidAttribute(place, 'type', quoted(type), expected);
  }
  return {
    type,
    data,
    contentType,
    key: optional(place, attributes, KEY_ATTRIBUTE, MAX_EVENT_KEY_LENGTH),
    delayMs: 0,
    // Its source and id say whether it has come before.
    dedupe: null,
    id,
    source,
    subject: optional(place, attributes, 'subject', LONGEST_REFERENCE),
    timeMs: timeOf(place, attributes),
    extensions: extensionsOf(place, attributes),
  };
}

/** Whether it is a reference of RFC 3986, as `source` must be. */
export function isReference(text: string): boolean {
  if (!REFERENCE.test(text) || text.indexOf('#') !== text.lastIndexOf('#')) return false;
  // A relative one must have no colon in its first segment, which would make that a scheme (RFC 3986, 4.2).
  return SCHEME.test(text) || !/^[^/?#]*:/.test(text);
}

function extensionsOf(
  place: Place,
  attributes: ReadonlyMap<string, AttributeValue>,
): Record<string, AttributeValue> {
  const extensions: [string, AttributeValue][] = [];
  for (const [name, value] of attributes) {
    if (OWN_ATTRIBUTES.has(name)) continue;
    if (name === 'dataschema') checkUri(place, name, value);
    if (typeof value === 'string') checkString(place, name, value, LONGEST_EXTENSION);
    if (typeof value === 'number') checkInteger(place, name, value);
    extensions.push([name, value]);
  }
  // Not by assignment: a name may be that of something an object inherits.
  return Object.fromEntries(extensions);
}

function timeOf(place: Place, attributes: ReadonlyMap<string, AttributeValue>): number | null {
  const value = attributes.get('time');
  if (value === undefined) return null;
  const timeMs = typeof value === 'string' ? readTimestamp(value) : null;
  if (timeMs === null) {
    const expected = "a time of RFC 3339 such as '2026-11-27T18:30:00Z'";
    throw invalidAttribute(place, 'time', shown(value), expected);
  }
  return timeMs;
}

function required(
  place: Place,
  attributes: ReadonlyMap<string, AttributeValue>,
  name: string,
  expected: string,
): string {
  const value = attributes.get(name);
  if (value === undefined || value === '')
    throw invalidAttribute(place, name, value === undefined ? 'nothing' : '""', expected);
  if (typeof value !== 'string') throw invalidAttribute(place, name, shown(value), expected);
  return value;
}

function optional(
  place: Place,
  attributes: ReadonlyMap<string, AttributeValue>,
  name: string,
  longest: number,
): string | null {
  const value = attributes.get(name);
  if (value === undefined) return null;
  if (typeof value !== 'string' || value === '')
    throw invalidAttribute(place, name, shown(value), 'a text that is not empty, or nothing');
  return bounded(place, name, value, longest);
}

function bounded(place: Place, name: string, value: string, longest: number): string {
  checkString(place, name, value, longest);
  return value;
}

function checkString(place: Place, name: string, value: string, longest: number): void {
  if (value.length > longest)
    throw invalidAttribute(place, name, `${value.length} characters`, `at most ${longest}`);
  const forbidden = FORBIDDEN.exec(value);
  if (forbidden !== null) {
    const code = forbidden[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    throw invalidAttribute(
      place,
      name,
      `the character U+${code}`,
      'text without control characters, noncharacters and halves of surrogate pairs',
    );
  }
}

function checkReference(place: Place, name: string, value: string): void {
  if (value.length > LONGEST_REFERENCE)
    throw invalidAttribute(place, name, `${value.length} characters`, `at most ${LONGEST_REFERENCE}`);
  if (!isReference(value))
    throw invalidAttribute(place, name, quoted(value), "a URI-reference (RFC 3986) such as '/orders'");
}

function checkUri(place: Place, name: string, value: AttributeValue): void {
  const isUri = typeof value === 'string' && isReference(value) && SCHEME.test(value);
  if (!isUri)
    throw invalidAttribute(place, name, shown(value), "a URI such as 'https://example.com/order.json'");
}

function checkInteger(place: Place, name: string, value: number): void {
  if (Number.isInteger(value) && value >= LEAST_INTEGER && value <= LARGEST_INTEGER) return;
  const expected = `a whole number from ${LEAST_INTEGER} to ${LARGEST_INTEGER}, or a text`;
  throw invalidAttribute(place, name, String(value), expected);
}

function shown(value: AttributeValue): string {
  return typeof value === 'string' ? quoted(value) : `the value ${String(value)}`;
}
