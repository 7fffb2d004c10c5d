import type { CommandSpec, GroupSpec, ModuleSpec } from './app.ts';

/** One built, immutable version of what has instances: a component, or a group of them. */
export type Revision = ModuleRevision | CommandRevision | GroupRevision;

/** What runs in a Node of ours. */
export type CodeRevision = ModuleRevision | GroupRevision;

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

/** Of a group: what its members have. A module that two of them import is loaded for each, so that they share no state that they do not share apart. */
export interface GroupRevision extends Common {
  readonly kind: 'group';
  readonly spec: GroupSpec;
  /** In the order of the group. `env` is all of theirs together. */
  readonly members: readonly ModuleRevision[];
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

/** Of a revision's modules, one each; none of a command. */
export function bundlesOf(revision: Revision): readonly Bundle[] {
  switch (revision.kind) {
    case 'module':
      return [revision.bundle];
    case 'group':
      return revision.members.map(({ bundle }) => bundle);
    case 'command':
      return [];
  }
}

/** See {@link Bundle.filesRoot}: it is the app's, and so the same for all members of a group. */
export function filesRootOf(revision: CodeRevision): string {
  return revision.kind === 'module' ? revision.bundle.filesRoot : revision.members[0]!.bundle.filesRoot;
}

/** The version of a component that `revision` holds; null where it holds none of it. */
export function revisionOf(revision: Revision, component: string): ModuleRevision | CommandRevision | null {
  if (revision.kind === 'group') return revision.members.find(({ spec }) => spec.name === component) ?? null;
  return revision.spec.name === component ? revision : null;
}
