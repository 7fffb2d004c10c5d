/** `read`: look. `deploy`: that, and deploys, rollbacks, modes, secrets' names and values to set. `admin`: everything, tokens included. */
export type Scope = 'read' | 'deploy' | 'admin';

/** A bearer token as it is kept: never the token itself. */
export interface AccessToken {
  /** Short and random; what it is called in lists, and where it is revoked. */
  readonly id: string;
  /** For people: `ci`, `anna`. */
  readonly name: string;
  /** SHA-256 of the token, hex. A token has 160 random bits and more: no salt, no stretching needed. */
  readonly hash: string;
  readonly scope: Scope;
  /** The apps (ids) that it is for; null: all of them. */
  readonly apps: readonly string[] | null;
  readonly createdAtMs: number;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** To the minute; null: never used. */
  readonly lastUsedAtMs: number | null;
}

export interface TokenStore {
  /** Rejects with `conflict` where one has its id or hash. */
  add(token: AccessToken): Promise<void>;
  list(): Promise<readonly AccessToken[]>;
  byHash(hash: string): Promise<AccessToken | null>;
  used(id: string, atMs: number): Promise<void>;
  /** @returns whether there was one. */
  remove(id: string): Promise<boolean>;
}
