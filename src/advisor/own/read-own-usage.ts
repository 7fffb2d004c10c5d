import { FulcrumError } from '../../base/errors.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import { OwnReader } from './own-reader.ts';
import type { OwnUsage } from './own-usage.ts';

/**
 * An app's usage from its lines, as the server sends them or a file holds them. Throws `trace-invalid` where they were cut short, stand in no order
 * that makes sense, are damaged, or are more than can be held.
 */
export async function readOwnUsage(lines: AsyncIterable<UsageLine>): Promise<OwnUsage> {
  const reader = new OwnReader();
  for await (const line of lines) addLine(reader, line);
  return reader.finish();
}

/** Throws `trace-invalid` likewise. */
export function addLine(reader: OwnReader, line: UsageLine): void {
  const fault = reader.add(line);
  if (fault === null) return;
  const { found, expected } = fault;
  throw new FulcrumError('trace-invalid', `The usage cannot be read: found ${found}, expected ${expected}.`);
}
