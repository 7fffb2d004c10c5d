import * as z from 'zod';

/** Bytes as the admin API tells them: to the byte what they are, and readable where they are text. */
export interface Content {
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Null where they are not UTF-8. */
  readonly text: string | null;
  /** Null where `text` says it. */
  readonly base64: string | null;
}

export const content = z
  .strictObject({
    contentType: z.string(),
    sizeBytes: z.int().min(0),
    text: z.string().nullable().describe('Null where it is not UTF-8'),
    base64: z.string().nullable().describe('Null where `text` says it'),
  })
  .meta({ id: 'Content' }) satisfies z.ZodType<Content>;

/** JSON goes as its text, and is not parsed on the way: numbers of more than 53 bits would be others afterwards. */
export function contentOf(contentType: string, bytes: Uint8Array): Content {
  const about = { contentType, sizeBytes: bytes.byteLength };
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { ...about, text, base64: null };
  } catch {
    return { ...about, text: null, base64: Buffer.from(bytes).toString('base64') };
  }
}
