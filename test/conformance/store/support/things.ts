import { createHash, randomBytes } from 'node:crypto';
import type { AppRecord } from '../../../../src/model/app-record.ts';
import type { NewRelease, ReleaseFile } from '../../../../src/model/release.ts';
import type { BlobStore } from '../../../../src/model/blob-store.ts';

export const NOW_MS = Date.UTC(2026, 5, 1);

/** An unremarkable app, but for `fields`. */
export function newApp(fields: Partial<AppRecord> = {}): Omit<AppRecord, 'version'> {
  const { version: _, ...app } = {
    id: 'shop',
    name: 'shop',
    environment: 'production',
    hosts: ['shop.example'],
    prefix: '',
    createdAtMs: NOW_MS,
    serving: null,
    canary: null,
    modes: {},
    limits: {},
    version: 0,
    ...fields,
  };
  return app;
}

export function newRelease(files: readonly ReleaseFile[] = [], fields: Partial<NewRelease> = {}): NewRelease {
  return {
    app: 'shop',
    manifest: {
      format: 1,
      app: 'shop',
      environment: 'production',
      fulcrum: '0.1.0',
      platform: null,
      config: { name: 'shop', components: { catalog: { entry: './catalog.ts' } } },
      bundles: {},
      files,
    },
    createdAtMs: NOW_MS,
    createdBy: 'ci',
    note: '',
    ...fields,
  };
}

export interface Content {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** Random bytes, which no compression makes smaller, or for `text` some that it does. */
export function contentOf(sizeBytes: number, text = false): Content {
  const bytes = text
    ? Buffer.alloc(sizeBytes, `export const n = ${randomBytes(6).toString('hex')};\n`)
    : randomBytes(sizeBytes);
  return { bytes: new Uint8Array(bytes), digest: digestOf(bytes) };
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function fileOf({ bytes, digest }: Content, path = 'index.js'): ReleaseFile {
  return { kind: 'file', path, digest, sizeBytes: bytes.length, executable: false };
}

/** As it may come from a network: in pieces that have nothing to do with ours. */
export async function* streamOf(bytes: Uint8Array, chunkBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

export async function putContent(blobs: BlobStore, content: Content): Promise<void> {
  await blobs.put(content.digest, content.bytes.length, streamOf(content.bytes));
}

export async function readContent(blobs: BlobStore, digest: string): Promise<Uint8Array | null> {
  const content = await blobs.get(digest);
  if (content === null) return null;
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}
