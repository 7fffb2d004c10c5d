/** `first` and `last` are positions of bytes, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The part of `sizeBytes` bytes that a `Range` field asks for (RFC 9110, 14.1.2). `whole` where it asks for several
 * parts, for another unit or for nothing that can be read: a server may always answer with everything.
 */
export function readRange(value: string, sizeBytes: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(value.trim());
  if (match === null) return 'whole';
  const [, from = '', to = ''] = match;
  if (from === '') {
    if (to === '') return 'whole';
    const lengthBytes = Math.min(Number(to), sizeBytes);
    if (lengthBytes === 0) return 'unsatisfiable';
    return { first: sizeBytes - lengthBytes, last: sizeBytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== '' && Number(to) < first) return 'whole';
  if (first >= sizeBytes) return 'unsatisfiable';
  return { first, last };
}
