import type { SealKey } from './seal.ts';

/**
 * The keys that a server has. Everything new is sealed with `current`; what was sealed with one of `retired` can still be opened: a backup
 * from before a rotation, or what another server sealed a moment too late.
 */
export interface Keys {
  readonly current: SealKey;
  /** The one that was in use last comes first. */
  readonly retired: readonly SealKey[];
}

/** Where they come from. */
export interface KeyHolder {
  /** For messages: `FULCRUM_KEY`, `the key file /var/lib/fulcrum/key`. */
  readonly label: string;
  /** The keys as they are now; null where there are none yet. Rejects with `secret-key-invalid`. */
  read(): Promise<Keys | null>;
  /**
   * Writes what `change` makes of the keys as they are then; nobody else changes them meanwhile. @returns what is written.
   * Rejects with `conflict` where they are not the server's to change, or too many.
   */
  change(change: (keys: Keys) => Keys): Promise<Keys>;
  /** Writes the first key, unless somebody else has. @returns those that are there now. Rejects with `conflict` likewise. */
  create(key: SealKey): Promise<Keys>;
}
