import { setTimeout as delay } from 'node:timers/promises';
import { FulcrumError } from '../../base/errors.ts';
import type { ControlClient } from '../client.ts';
import { blobTar } from '../../release/packing/blob-tar.ts';
import type { BlobSource } from '../../release/packing/hash-files.ts';
import { MAX_ASKED_DIGESTS } from '../../release/limits.ts';

/** What goes in one request: where a connection is cut, at most this much is sent again. */
const BATCH_BYTES = 8 * 1024 ** 2;
const BATCH_FILES = 1_000;
const WAITS_MS = [500, 1_000, 2_000, 4_000];

export interface UploadProgress {
  readonly sentBytes: number;
  /** Of what was missing when it began. */
  readonly totalBytes: number;
  readonly files: number;
  /** How often it was begun again after a cut. */
  readonly retries: number;
}

type Blob = readonly [digest: string, source: BlobSource];

/**
 * Uploads those of `sources` that the server does not have. Where the connection is cut, it asks again what is missing and goes on, four
 * times at most without anything new having arrived.
 * @throws FulcrumError what the server refuses with; `server-unreachable`; `package-failed` where a file has changed meanwhile.
 */
export async function uploadBlobs(
  client: Pick<ControlClient, 'post' | 'upload'>,
  sources: ReadonlyMap<string, BlobSource>,
  onProgress: (progress: UploadProgress) => void,
  waitsMs: readonly number[] = WAITS_MS,
): Promise<UploadProgress> {
  let missing = await missingOf(client, [...sources]);
  const total = { files: missing.length, totalBytes: bytesOf(missing) };
  let progress: UploadProgress = { ...total, sentBytes: 0, retries: 0 };
  const tell = (change: Partial<UploadProgress>): void => {
    progress = { ...progress, ...change };
    onProgress(progress);
  };
  tell({});
  for (let tries = 0; missing.length > 0;) {
    const before = missing.length;
    try {
      for (const batch of batches(missing)) {
        await client.upload(
          '/blobs',
          counted(batch, (bytes) => tell({ sentBytes: progress.sentBytes + bytes })),
        );
        missing = missing.slice(batch.length);
        tries = 0;
      }
    } catch (error) {
      if (!isCut(error) || tries >= waitsMs.length) throw error;
      await delay(waitsMs[tries]);
      tries += 1;
      missing = await missingOf(client, missing).catch((again: unknown) => {
        if (!isCut(again)) throw again;
        return missing;
      });
      if (missing.length < before) tries = 0;
      tell({ sentBytes: total.totalBytes - bytesOf(missing), retries: progress.retries + 1 });
    }
  }
  return progress;
}

function isCut(error: unknown): boolean {
  return (
    error instanceof FulcrumError && (error.code === 'server-unreachable' || error.code === 'body-timeout')
  );
}

async function missingOf(client: Pick<ControlClient, 'post'>, blobs: readonly Blob[]): Promise<Blob[]> {
  const missing = new Set<string>();
  for (let at = 0; at < blobs.length; at += MAX_ASKED_DIGESTS) {
    const digests = blobs.slice(at, at + MAX_ASKED_DIGESTS).map(([digest]) => digest);
    const answer = await client.post<{ missing: string[] }>('/blobs/missing', { digests });
    for (const digest of answer.missing) missing.add(digest);
  }
  return blobs.filter(([digest]) => missing.has(digest));
}

function batches(blobs: readonly Blob[]): Blob[][] {
  const all: Blob[][] = [];
  let bytes = Infinity;
  for (const blob of blobs) {
    const { sizeBytes } = blob[1];
    if (bytes + sizeBytes > BATCH_BYTES || all.at(-1)!.length >= BATCH_FILES) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)!.push(blob);
    bytes += sizeBytes;
  }
  return all;
}

/** The archive of `blobs`, told as it goes out; headers and padding are not counted. */
async function* counted(
  blobs: readonly Blob[],
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const total = bytesOf(blobs);
  let archiveBytes = 0;
  let told = 0;
  for await (const piece of blobTar(blobs)) {
    yield piece;
    archiveBytes += piece.length;
    const now = Math.min(total, archiveBytes);
    onBytes(now - told);
    told = now;
  }
}

function bytesOf(blobs: readonly Blob[]): number {
  return blobs.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0);
}
