/** A content coding and the ending of the files that have it. */
export interface Coding {
  readonly name: string;
  readonly extension: string;
}

/** In our own order, which decides where the client has no preference: the smaller usually first. */
const CODINGS: readonly Coding[] = [
  { name: 'br', extension: '.br' },
  { name: 'zstd', extension: '.zst' },
  { name: 'gzip', extension: '.gz' },
];

/** The codings that a client prefers to the plain file, best first (RFC 9110, 12.5.3). */
export function acceptedCodings(value: string | undefined): readonly Coding[] {
  if (value === undefined || value === '') return [];
  const weights = new Map<string, number>();
  for (const part of value.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const q = parameters.find((text) => text.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    weights.set(name === 'x-gzip' ? 'gzip' : name, weight >= 0 && weight <= 1 ? weight : 0);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  // Where nothing is said of the plain file it is acceptable, but less than anything that is asked for by name.
  const plain = weights.get('identity') ?? 0;
  return CODINGS.filter(({ name }) => weightOf(name) > 0 && weightOf(name) >= plain).sort(
    (a, b) => weightOf(b.name) - weightOf(a.name),
  );
}
