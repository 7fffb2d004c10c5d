/**
 * What one deploy made: an app as a whole, as data and files. Immutable but for its state. A *release* is to an app what a
 * *revision* is to a component: it names one revision of each.
 */
export interface Release {
  readonly app: string;
  /** 1, 2, 3, … within the app. */
  readonly number: number;
  readonly manifest: ReleaseManifest;
  readonly state: ReleaseState;
  readonly createdAtMs: number;
  /** Who: a token's name, or `socket` for the user of the machine itself. */
  readonly createdBy: string;
  /** What the person who deployed says of it; empty for nothing. */
  readonly note: string;
  /** Set where it failed. */
  readonly failure: ReleaseFailure | null;
}

/**
 * `uploaded`: all its files are in the store. `healthy`: one instance of every component has started. `failed`: one did not,
 * or the canary went back. Which one serves is the app's to say, not the release's.
 */
export type ReleaseState = 'uploaded' | 'healthy' | 'failed';

export interface ReleaseFailure {
  /** An error code. */
  readonly code: string;
  readonly message: string;
  readonly component: string | null;
  /** The last log lines of what failed, oldest first, without secrets. */
  readonly log: readonly string[];
}

/** What a client sends to deploy. Data only: nothing of it is run to be understood, and everything is checked again. */
export interface ReleaseManifest {
  readonly format: 1;
  readonly app: string;
  readonly environment: string;
  /** The version of Fulcrum that built it. */
  readonly fulcrum: string;
  /** What native packages were installed for; null where there is none among the files. */
  readonly platform: ReleasePlatform | null;
  /** The config as it was evaluated: what `defineApp` was given, as JSON. Paths are relative to the app's folder. */
  readonly config: unknown;
  /** By component of kind module: where its bundle lies among `files`, and what it is. */
  readonly bundles: Readonly<Record<string, ReleaseBundle>>;
  /** Every file of the release, by path. */
  readonly files: readonly ReleaseFile[];
}

interface ReleasePlatform {
  readonly os: string;
  readonly arch: string;
  /** `glibc`, `musl`, or null where the system has one only. */
  readonly libc: string | null;
}

export interface ReleaseBundle {
  /** Of the module to import, among `files`. */
  readonly path: string;
  /** SHA-256 over its files, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
}

export type ReleaseFile =
  | {
      readonly kind: 'file';
      /** Relative to the app's folder, `/` between names, no `.` or `..`. */
      readonly path: string;
      /** SHA-256 of its bytes, hex: the blob's name. */
      readonly digest: string;
      readonly sizeBytes: number;
      readonly executable: boolean;
    }
  | {
      readonly kind: 'link';
      readonly path: string;
      /** Relative to the link's own folder; stays within the app's. */
      readonly target: string;
    };

/** The releases of a server's apps. What it returns has outlived a loss of power. */
export interface ReleaseStore {
  /** Numbers it, in state `uploaded`. Rejects with `not-found` where there is no such app. */
  add(release: NewRelease): Promise<Release>;
  get(app: string, number: number): Promise<Release | null>;
  /** Newest first, those before `before` (null: from the newest), at most `limit`. */
  list(app: string, before: number | null, limit: number): Promise<readonly Release[]>;
  /** Rejects with `not-found`. */
  setState(app: string, number: number, state: ReleaseState, failure: ReleaseFailure | null): Promise<void>;
  /** Its blobs stay until a sweep. Idempotent. */
  remove(app: string, number: number): Promise<void>;
}

/** What becomes of a release. */
export interface ReleaseChange {
  readonly number: number;
  readonly state: ReleaseState;
  readonly failure: ReleaseFailure | null;
}

export type NewRelease = Pick<Release, 'app' | 'manifest' | 'createdAtMs' | 'createdBy' | 'note'>;
