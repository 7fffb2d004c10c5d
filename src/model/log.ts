/** One line of the app's log: from a component's output, or from the platform about a component. */
export interface LogEntry {
  readonly atMs: number;
  /** Id of the app; absent where it concerns the server as a whole. Whoever writes of one component need not know it: its sink adds it. */
  readonly app?: string | undefined;
  readonly component: string;
  readonly stream: 'stdout' | 'stderr' | 'platform';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  readonly instance: string | null;
  readonly revision: string | null;
  readonly requestId: string | null;
  /** More, as data: an access line's method, path, status, durations. */
  readonly fields: Readonly<Record<string, unknown>> | null;
  /** All of it in few bytes, where whoever made it can make it again from those: many are kept and few are read. */
  readonly packed?: PackedLogEntry | undefined;
}

/** What an entry is that packs itself: a request that has been answered, or a call from one component to another that is over. */
export type PackedKind = 'access' | 'call';

export interface PackedLogEntry {
  /** Who can make it again. */
  readonly kind: PackedKind;
  readonly lengthBytes: number;
  write(bytes: Buffer, at: number): void;
}

/** Takes entries; never blocks and never throws. What it keeps is bounded. */
export interface LogSink {
  write(entry: LogEntry): void;
}
