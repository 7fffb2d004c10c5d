const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
};

/**
 * Reads a size such as `128MB` or `1.5GB`; units are powers of 1024 as in Lambda's and Docker's settings, and are always needed.
 * @returns whole bytes, or null where `text` is no size.
 */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)$/i.exec(text.trim());
  if (!match) return null;
  const bytes = Math.round(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Writes bytes the way a person would say them: `512 B`, `1.5 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${round(bytes / 1024)} KB`;
  if (bytes < 1024 ** 3) return `${round(bytes / 1024 ** 2)} MB`;
  return `${round(bytes / 1024 ** 3)} GB`;
}

function round(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 1 : 0)));
}
