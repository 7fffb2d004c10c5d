/** What a release may be at most. Client and server hold to the same numbers, so that what is packed is also taken. */
export interface ReleaseLimits {
  readonly files: number;
  /** Of all files together, the same content counted once for each name. */
  readonly totalBytes: number;
}

export const RELEASE_LIMITS: ReleaseLimits = { files: 50_000, totalBytes: 200 * 1024 ** 2 };

/** Bytes of a path, as UTF-8; the shortest that systems allow for a whole path, less the folder that the tree lies in. */
export const MAX_PATH_BYTES = 1_024;
/** Bytes of one name: what file systems take. */
export const MAX_NAME_BYTES = 255;
/** Names in a path. */
export const MAX_DEPTH = 64;
/** Bytes of the config as JSON. */
export const MAX_CONFIG_BYTES = 1024 ** 2;
/** Digests that are asked for at a time. */
export const MAX_ASKED_DIGESTS = 10_000;
