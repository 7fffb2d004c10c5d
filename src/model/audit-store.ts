/** One change, by whom. Kept for ever; nothing in it is a secret. */
export interface AuditEntry {
  readonly atMs: number;
  /** A token's name and id, `socket` for the machine's own user, `server` for what it does by itself. */
  readonly actor: string;
  /** `deploy`, `rollback`, `mode.set`, `secret.set`, `token.create`, … */
  readonly action: string;
  /** Null where it concerns no app. */
  readonly app: string | null;
  readonly outcome: 'ok' | 'refused' | 'failed';
  /** Plain data about it, at most 4 KB as JSON. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface KeptAuditEntry extends AuditEntry {
  /** Rising; where one is missing, something was taken out. */
  readonly number: number;
}

export interface AuditStore {
  append(entry: AuditEntry): Promise<void>;
  /** Newest first, those before `before` (null: from the newest), at most `limit`. `app` null: all. */
  list(query: {
    readonly app: string | null;
    readonly before: number | null;
    readonly limit: number;
  }): Promise<readonly KeptAuditEntry[]>;
}
