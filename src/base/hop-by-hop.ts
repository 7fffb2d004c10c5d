import { trimmed } from './ows.ts';

/**
 * Fields that concern one connection and must not be passed on (RFC 9110, 7.6.1), with every `Proxy-*` field, which
 * are meant for a proxy in front of us or for nobody.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** What a `Connection` field must not be able to take away: without them a message would mean something else. */
const NEVER_DROPPED: ReadonlySet<string> = new Set(['host', 'content-length']);

/** @param lower a field's name in lower case. */
export function isHopByHop(lower: string): boolean {
  return HOP_BY_HOP.has(lower) || lower.startsWith('proxy-');
}

/** The names, in lower case, that a `Connection` field declares to be of this hop only; null where there are none. */
export function namedByConnection(value: string): ReadonlySet<string> | null {
  let named: Set<string> | null = null;
  for (const part of value.split(',')) {
    const name = trimmed(part).toLowerCase();
    if (name === '' || name === 'keep-alive' || name === 'close' || name === 'upgrade') continue;
    if (NEVER_DROPPED.has(name)) continue;
    (named ??= new Set()).add(name);
  }
  return named;
}

/** `fields` without those of one hop, in their order, repeats and letter case kept. */
export function endToEnd(fields: readonly string[]): string[] {
  const kept: string[] = [];
  let connection: string | null = null;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const lower = fields[i]!.toLowerCase();
    if (lower === 'connection') {
      connection = connection === null ? fields[i + 1]! : `${connection},${fields[i + 1]!}`;
    } else if (!isHopByHop(lower)) {
      kept.push(fields[i]!, fields[i + 1]!);
    }
  }
  const named = connection === null ? null : namedByConnection(connection);
  return named === null ? kept : withoutFields(kept, named);
}

/** `fields` without those whose name is in `names`. */
export function withoutFields(fields: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (!names.has(fields[i]!.toLowerCase())) kept.push(fields[i]!, fields[i + 1]!);
  }
  return kept;
}
