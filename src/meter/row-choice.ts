import type { UsageRecord } from '../model/usage.ts';

/** After each so many rows kept of one cell, only half as many of the next are kept. */
const ROWS_BEFORE_THINNING = 64;
const MAX_HALVINGS = 31;
const WHOLE = 2 ** 32;

/** Whether `record` is one that somebody will want to look at: it failed, or it had to wait for an instance to start. */
export function isRemarkable(record: UsageRecord): boolean {
  return record.outcome !== 'ok' || record.status >= 500 || record.cold;
}

/**
 * Whether a whole row of `record` is kept. The choice depends on the request id alone (and on how much its cell kept already), so
 * that where a request passes through several components, either all of them keep a row of it or none.
 * @param kept rows kept of the record's component, minute, outcome, mode and revision. A storm of errors is thinned
 * out by it to a few hundred rows a minute; the counts stay exact.
 * @param sampleOneIn how many unremarkable records there are to a row.
 */
export function keepsRow(record: UsageRecord, kept: number, sampleOneIn: number): boolean {
  const remarkable = isRemarkable(record);
  if (remarkable && kept < ROWS_BEFORE_THINNING) return true;
  const halvings = Math.min(Math.floor(kept / ROWS_BEFORE_THINNING), MAX_HALVINGS);
  const threshold = WHOLE / (remarkable ? 1 : sampleOneIn) / 2 ** halvings;
  return hash(record.requestId) < threshold;
}

/** FNV-1a with MurmurHash3's finish, since FNV's high bits alone mix badly for short texts. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  // The end of an id is as random as all of it.
  for (let i = Math.max(0, text.length - 12); i < text.length; i++)
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
