import type { Delivery } from '../../model/event-store.ts';
import type { CloudEventMode } from '../../model/work-settings.ts';
import { KEY_ATTRIBUTE, OWN_ATTRIBUTES, SPEC_VERSION, type AttributeValue } from './attributes.ts';
import { encodeHeaderValue } from './header-value.ts';
import { faultIn } from './json-text.ts';
import { isJson, isUtf8, readMediaType } from './media-type.ts';
import { BATCHED_TYPE, STRUCTURED_TYPE } from './read.ts';

/** What of a delivery goes into a CloudEvent. */
export type WrittenEvent = Pick<
  Delivery,
  'id' | 'type' | 'source' | 'subject' | 'key' | 'timeMs' | 'contentType' | 'attributes' | 'data'
>;

/** An HTTP message's part that is the event: end-to-end fields (name, value, …) without those that frame it, and a body. */
export interface WrittenMessage {
  readonly fields: readonly string[];
  readonly body: Uint8Array;
}

/** Under which an event's attributes hold the CloudEvents `id` that it came with. */
const GIVEN_ID = '$id';

/** Deeper JSON goes out as Base64. */
const MOST_DEPTH = 10_000;

const encoder = new TextEncoder();
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Writes events as CloudEvents 1.0.2 over HTTP; what {@link readCloudEvents} reads. The key is `partitionkey`. In the JSON format JSON
 * goes out as it came in, text as text, and all else as Base64.
 * @param mode `binary` and `structured` are for one event, `batched` for any number.
 */
export function writeCloudEvents(mode: CloudEventMode, events: readonly WrittenEvent[]): WrittenMessage {
  if (mode === 'batched') {
    const body = encoder.encode(`[${events.map(jsonOf).join(',')}]`);
    return { fields: ['Content-Type', `${BATCHED_TYPE}; charset=utf-8`], body };
  }
  const [event] = events;
  if (event === undefined || events.length > 1)
    throw new Error(`The mode ${mode} is for one event, not for ${events.length}.`);
  if (mode === 'structured') {
    const body = encoder.encode(jsonOf(event));
    return { fields: ['Content-Type', `${STRUCTURED_TYPE}; charset=utf-8`], body };
  }
  const fields = ['Content-Type', event.contentType];
  for (const [name, value] of attributesOf(event))
    fields.push(`ce-${name}`, encodeHeaderValue(String(value)));
  return { fields, body: event.data };
}

function attributesOf(event: WrittenEvent): [string, AttributeValue][] {
  const kept = keptBeside(event.attributes);
  // What came with an id of its own goes out with that, for with its source it says which event it is.
  const { [GIVEN_ID]: givenId } = kept;
  const attributes: [string, AttributeValue][] = [
    ['specversion', SPEC_VERSION],
    ['id', typeof givenId === 'string' ? givenId : event.id],
    ['source', event.source],
    ['type', event.type],
    ['time', new Date(event.timeMs).toISOString()],
  ];
  if (event.subject !== null) attributes.push(['subject', event.subject]);
  if (event.key !== null) attributes.push([KEY_ATTRIBUTE, event.key]);
  // What has no name or value of an attribute's is no extension.
  for (const [name, value] of Object.entries(kept)) {
    if (!/^[a-z0-9]+$/.test(name) || name === 'data' || OWN_ATTRIBUTES.has(name)) continue;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      attributes.push([name, value]);
  }
  return attributes;
}

function keptBeside(attributes: string): Readonly<Record<string, unknown>> {
  const kept: unknown = attributes === '' ? null : JSON.parse(attributes);
  return typeof kept === 'object' && kept !== null ? (kept as Record<string, unknown>) : {};
}

function jsonOf(event: WrittenEvent): string {
  const envelope = Object.fromEntries([
    ...attributesOf(event),
    ['datacontenttype', event.contentType] satisfies [string, string],
  ]);
  return `${JSON.stringify(envelope).slice(0, -1)},${contentOf(event)}}`;
}

function contentOf({ contentType, data }: WrittenEvent): string {
  const type = readMediaType(contentType);
  const text = type !== null && isUtf8(type) && (isJson(type) || type.type === 'text') ? textOf(data) : null;
  // What is put into the envelope as it is must not be able to end it.
  if (text !== null && isJson(type!) && faultIn(text, MOST_DEPTH) === null) return `"data":${text}`;
  if (text !== null && !isJson(type!)) return `"data":${JSON.stringify(text)}`;
  return `"data_base64":"${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}"`;
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
