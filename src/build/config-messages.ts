/** What the thread that evaluates a config is given. */
export interface ConfigQuestion {
  /** `file:` URL of the bundled config. */
  readonly url: string;
  readonly environment: string;
  readonly filesRoot: string;
}

/** What comes back: once, or never where the config ends the thread or does not end itself. */
export type ConfigAnswer =
  | { readonly kind: 'config'; readonly config: unknown }
  | { readonly kind: 'no-default'; readonly exports: readonly string[] }
  | { readonly kind: 'not-cloneable'; readonly path: string; readonly what: string }
  | { readonly kind: 'thrown'; readonly message: string; readonly stack: string | null };
