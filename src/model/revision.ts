import type { CommandSpec, ModuleSpec } from './app.ts';

/** One built, immutable version of a component that has instances. */
export type Revision = ModuleRevision | CommandRevision;

interface Common {
  /** 12 hex digits over code and settings; values of secrets are not part of it. */
  readonly id: string;
  readonly env: Readonly<Record<string, string>>;
  /** Digest of `env` with its secrets: tells that instances must be replaced. Never shown. */
  readonly envDigest: string;
}

export interface ModuleRevision extends Common {
  readonly kind: 'module';
  readonly spec: ModuleSpec;
  readonly bundle: Bundle;
}

export interface CommandRevision extends Common {
  readonly kind: 'command';
  readonly spec: CommandSpec;
}

/** What the build makes of a module component. */
export interface Bundle {
  /** The ES module to import. Its source map lies beside it as `<path>.map`. */
  readonly path: string;
  /** Folder against which `import.meta.url` and `__dirname` of bundled modules are resolved, so that data files are found. */
  readonly filesRoot: string;
  /** SHA-256 of the bundle's text, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Absolute paths of the source files that went into it, for watching. */
  readonly sources: readonly string[];
}
