import type { ComponentSpec, Mode } from '../model/app.ts';
import type { LogEntry } from '../model/log.ts';
import type { FulcrumError } from '../base/errors.ts';

/** What a development server tells whoever watches it; the CLI prints it. */
export type DevEvent =
  | {
      readonly kind: 'ready';
      /** From the call of `startDev` to the first moment a request could be answered. */
      readonly tookMs: number;
      readonly gatewayUrl: string;
      /** Carries a token. */
      readonly adminLink: string;
      readonly components: readonly ComponentLine[];
      readonly notes: readonly string[];
    }
  /** A save went live: from the file's change to the new revision serving. Without components: what runs is the same as before. */
  | { readonly kind: 'reloaded'; readonly components: readonly string[]; readonly tookMs: number }
  /** A save did not build or start; the last good revision goes on serving. */
  | { readonly kind: 'reload-failed'; readonly error: FulcrumError }
  | { readonly kind: 'log'; readonly entry: LogEntry };

/** A component, or a group, whose members come behind it. */
export interface ComponentLine {
  readonly name: string;
  readonly kind: ComponentSpec['kind'] | 'group';
  /** The one that it is in; null: it runs by itself. */
  readonly group: string | null;
  /** Null of a static component, and of a member, which has its group's. */
  readonly mode: Mode | null;
  readonly routes: readonly string[];
}
