import type { IncomingHttpHeaders } from 'node:http';

/** What tells one version of a file from another. */
export interface Validators {
  /** Strong: size and time of change to the nanosecond, and the encoding. */
  readonly etag: string;
  /** To the second, as HTTP dates are. */
  readonly modifiedMs: number;
}

export function validatorsOf(sizeBytes: bigint, modifiedNs: bigint, encoding: string | null): Validators {
  const suffix = encoding === null ? '' : `-${encoding}`;
  return {
    etag: `"${sizeBytes.toString(36)}-${modifiedNs.toString(36)}${suffix}"`,
    modifiedMs: Number(modifiedNs / 1_000_000_000n) * 1_000,
  };
}

/** Whether the client has this version already (RFC 9110, 13.2.2): the entity tag decides where it named one. */
export function isNotModified(headers: IncomingHttpHeaders, { etag, modifiedMs }: Validators): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) {
    return tags.trim() === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  }
  const since = headers['if-modified-since'];
  return since !== undefined && modifiedMs <= dateMs(since);
}

/** Whether a range may be answered with a part: the client's other parts must be of this very version. */
export function mayAnswerPart(headers: IncomingHttpHeaders, { etag, modifiedMs }: Validators): boolean {
  const condition = headers['if-range']?.toString().trim();
  if (condition === undefined) return true;
  return condition.startsWith('"') ? condition === etag : dateMs(condition) === modifiedMs;
}

/** NaN, which equals and exceeds nothing, where `value` is no date. */
function dateMs(value: string): number {
  return Date.parse(value);
}
