import type { AppRecord, CanaryPlan } from '../model/app-record.ts';
import type { Release, ReleaseManifest } from '../model/release.ts';
import type { BudgetStatus, StartFailure } from '../model/status.ts';
import type { LogReader } from './log-book.ts';
import type { ControlPort } from './port.ts';
import type { ModeFinding } from '../model/mode-check.ts';

/**
 * What the admin API asks of a server with any number of apps. Implemented by `server/`. `fulcrum dev` implements it with one app
 * and without `deploys`.
 */
export interface HostPort {
  /** The apps that run here, by id. */
  apps(): Promise<readonly AppRecord[]>;
  /** The running app, what serves of it; null where there is none of that id, or nothing of it serves yet. */
  app(id: string): ControlPort | null;
  /** The part of the log that is of one app, whether anything of it serves or not. Absent: only what runs has one. */
  logs?(id: string): LogReader;
  /** Why what should serve of an app did not start; null where it runs, or nothing should. Absent: it always runs. */
  startFailure?(id: string): StartFailure | null;
  /** What would not start without the secret `name`, components by name and `events.endpoint`: of what serves of an app, and of a canary. */
  secretUsers?(id: string, name: string): Promise<readonly string[]>;
  /** What the machine has for instances, and how much of it is promised. Absent: nobody counts. */
  budget?(): BudgetStatus;
  /** Absent in `dev`, where files are the way to change an app. */
  readonly deploys?: Deploys;
  /** Ends the server gracefully, after the answer has gone out. Absent: it cannot be ended this way. */
  stop?(): void;
  /** Starts a successor that takes the listening sockets over, and ends once that serves. Absent: cannot. */
  restart?(): Promise<void>;
}

/** Deploys and what belongs to them. `by` is who: an audit entry's actor. */
export interface Deploys {
  /** Rejects with `bad-request` for a bad id, host or prefix, and with `conflict` where another app claims the same. */
  setRouting(app: string, routing: { hosts: readonly string[]; prefix: string }): Promise<AppRecord>;
  /** Drains and ends it, and removes what is kept of it. Rejects with `not-found`. */
  removeApp(app: string): Promise<void>;
  missingBlobs(digests: readonly string[]): Promise<readonly string[]>;
  /** A tar, uncompressed, of plain files that are named by their digests. Rejects with `blob-invalid`; what came before is kept. */
  putBlobs(tar: AsyncIterable<Uint8Array>): Promise<{ readonly stored: number }>;
  /**
   * Validates the manifest, keeps the release, starts one instance of every component, routes, and drains what served before.
   * Creates the app where it is new. One at a time for each app. `onStep` is told as each step begins and ends.
   * Rejects with `forbidden`, `config-invalid`, `manifest-invalid`, `secret-missing`, `machine-full`, `deploy-failed` (details: the ReleaseFailure); then what served before
   * goes on serving.
   */
  deploy(order: DeployOrder, onStep: (step: DeployStep) => void): Promise<Release>;
  /** `to` null: to the newest healthy one before the one that serves. Rejects with `not-found`, `bad-request`, `deploy-failed`. */
  rollback(app: string, to: number | null, by: string, onStep: (step: DeployStep) => void): Promise<Release>;
  /**
   * Brings the release that serves up anew, with secrets as they are now, and drains what served before; how `secrets set --apply` reaches
   * what runs. Absent: cannot. Rejects as `rollback` does.
   */
  reload?(app: string, by: string, onStep: (step: DeployStep) => void): Promise<Release>;
  releases(app: string, before: number | null, limit: number): Promise<readonly Release[]>;
  release(app: string, number: number): Promise<Release | null>;
  /** Gives a canary all the traffic, or takes it back, now. Rejects with `not-found` where there is none. */
  endCanary(app: string, how: 'promote' | 'abort', by: string): Promise<AppRecord>;
}

export interface DeployOrder {
  readonly manifest: ReleaseManifest;
  /** Null: all the traffic at once. */
  readonly canary: CanaryPlan | null;
  /**
   * Where it is to answer; null: as it is, and under every host for a new app. Unless `isAdmin` an app that exists stays where it is, and a
   * new one gets no host that another answers for: else `forbidden`.
   */
  readonly routing: { readonly hosts: readonly string[]; readonly prefix: string } | null;
  readonly note: string;
  readonly by: string;
  /** Whether `by` may decide where apps answer. */
  readonly isAdmin: boolean;
}

export interface DeployStep {
  /**
   * `check`, `keep`, `unpack`, `start`, `route`, `drain`; `fit` where a component may grow beyond what the machine has for it, `modes` where one
   * whose mode is `auto` should not be switched.
   */
  readonly name: string;
  /** `skipped`: given up because another one failed. */
  readonly state: 'begun' | 'done' | 'skipped' | 'failed';
  /** `start` and `modes` tell one for each component. */
  readonly component: string | null;
  /** One line, for people; empty for nothing to say. */
  readonly message: string;
  readonly tookMs: number | null;
  /** Of `modes`: what of its code a switch would break, and where. */
  readonly findings?: readonly ModeFinding[] | undefined;
}
