/** A file that is to go along: where it lies, and where it will lie in the release's tree. */
export type FoundFile =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Absolute. */
      readonly source: string;
      readonly sizeBytes: number;
      readonly executable: boolean;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Something that cannot go along, and why; `path` is relative to the app's folder where it lies in it. */
export interface PackProblem {
  readonly path: string;
  readonly message: string;
}
