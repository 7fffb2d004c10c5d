/** What an event may be, for whoever makes one and whoever takes one. */

/** Of one event's data. SQS and EventBridge take 256 KB to 1 MB a message; this leaves no less. */
export const MAX_EVENT_BYTES = 1024 ** 2;
/** Of its `key` and of its `dedupe` key, in characters. */
export const MAX_EVENT_KEY_LENGTH = 256;
export const MAX_EVENT_SUBJECT_LENGTH = 1_024;
export const MAX_EVENT_DELAY_MS = 365 * 86_400_000;

/** Whether `text` can be an event's type, such as `order.paid`. */
export function isEventType(text: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,98}[A-Za-z0-9])?$/.test(text);
}

/** Whether `contentType` says that the bytes are JSON: its subtype is that, or ends in `+json` (RFC 6839, 3.1), as CloudEvents has it, too. */
export function isJsonType(contentType: string): boolean {
  return /^[^/;\s]+\/(?:[^/;\s]*\+)?json[ \t]*(?:;|$)/i.test(contentType);
}
