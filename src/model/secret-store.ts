/** An app's secrets as they are kept: sealed. Whoever has the store but not the key learns names and lengths only. */
export interface SealedSecret {
  readonly app: string;
  readonly name: string;
  /** Which key it is sealed with; tells what a rotation has still to do. */
  readonly keyId: string;
  /** AES-256-GCM: 12 bytes of nonce, the ciphertext, 16 bytes of tag. */
  readonly sealed: Uint8Array;
  readonly updatedAtMs: number;
}

export interface SecretStore {
  /** Without `sealed` nothing of it is secret: by name. */
  list(app: string): Promise<readonly SealedSecret[]>;
  put(secret: SealedSecret): Promise<void>;
  /** @returns whether there was one. */
  remove(app: string, name: string): Promise<boolean>;
  /** Every app's, for a rotation. */
  all(): Promise<readonly SealedSecret[]>;
  /** All or none. Leaves out those that have changed since they were read (another `sealed`). @returns how many were replaced. */
  replace(pairs: readonly { readonly before: SealedSecret; readonly after: SealedSecret }[]): Promise<number>;
}
