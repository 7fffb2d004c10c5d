import type { Peer } from './admission.ts';

/** A client's connection, whatever is spoken on it, as whoever keeps all of them sees it. */
export interface ClientConnection {
  readonly peer: Peer;
  /** Since when it has been idle, with nothing asked and nothing owed, in monotonic ms; null where it is not. */
  readonly idleSinceMs: number | null;
  /** Bytes of it that wait in memory: answers that the client has not taken, and what was read of it and waits for a reader. */
  readonly pendingBytes: number;
  /** Since when its client has taken nothing of what is written, in monotonic ms; of no meaning where nothing is. */
  readonly stalledSinceMs: number;
  /** Looks at what must happen in time. */
  watch(nowMs: number): void;
  /** It ends with the next answer, or with those that are owed; an idle one is left open until then. */
  announceEnd(): void;
  /** It ends with the answers that are owed, or at once where none is. What has been written is sent. */
  close(): void;
  cutStalled(why: string): void;
  destroy(): void;
}
