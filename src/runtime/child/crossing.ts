/** What values cross by, between components: over the wire as bytes and channels, within a process as copies. */

/** A stream or signal among a value that was packed; its place in the list is the number that stands for it. */
export type Outgoing =
  | { readonly kind: 'stream'; readonly stream: ReadableStream }
  /** Has not aborted: one that has is in the bytes with its reason. */
  | { readonly kind: 'signal'; readonly signal: AbortSignal };

/** Where a stream or signal among a value that is unpacked comes from, by its number. Each is asked for at most once. */
export interface Incoming {
  stream(): ReadableStream;
  signal(): AbortSignal;
}

export interface Packed {
  readonly bytes: Uint8Array;
  readonly passed: readonly Outgoing[];
}

export type What = 'arguments' | 'result';
