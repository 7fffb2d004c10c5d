/** What the admin API asks of whoever keeps secrets. Values go in and never out. */
export interface SecretsPort {
  /** By name. */
  list(app: string): Promise<readonly SecretName[]>;
  /** Rejects with `bad-request` for a name or value that no environment variable can have, or where the app has too many. */
  set(app: string, name: string, value: string): Promise<void>;
  /** @returns whether there was one. */
  remove(app: string, name: string): Promise<boolean>;
  /** Makes a new key and seals everything with it. Rejects with `conflict` where the key is not the server's own to change. */
  rotate(): Promise<KeyRotation>;
  /** Takes the keys of before out of the key file that nothing kept is sealed with. Rejects with `conflict` likewise. */
  forgetKeys(): Promise<ForgottenKeys>;
}

export interface SecretName {
  readonly name: string;
  readonly updatedAtMs: number;
}

export interface KeyRotation {
  /** Of the key that everything is sealed with now. */
  readonly keyId: string;
  /** How many secrets were sealed anew. */
  readonly resealed: number;
  /** Those that did not open, and are as they were: `KEY of 'shop'`. */
  readonly unopened: readonly string[];
}

export interface ForgottenKeys {
  /** Of the key that everything is sealed with. */
  readonly keyId: string;
  /** Ids. */
  readonly forgotten: readonly string[];
  /** Ids of those that something is sealed with still. */
  readonly kept: readonly string[];
}
