import type { Clock } from '../../base/clock.ts';
import { authorLine } from '../../base/author-stack.ts';
import { formatBytes } from '../../base/bytes.ts';
import type { LogEntry, LogSink } from '../../model/log.ts';
import { filesRootOf, type CodeRevision } from '../../model/revision.ts';
import { TokenBucket } from '../process/token-bucket.ts';
import { OutputTail } from '../process/output-tail.ts';
import { groupMembers } from './group-members.ts';
import type { LogFrame } from './messages.ts';

/** Longer text of one LOG frame is cut. */
const MAX_TEXT_LENGTH = 16 * 1024;
/** What is kept of an instance's lines, on average and at once; a line counts 64 bytes beside its text. */
const KEPT_BYTES_PER_S = 1024 * 1024;
const KEPT_BURST_BYTES = 4 * 1024 * 1024;
const LINE_COST_BYTES = 64;
const TELL_EVERY_MS = 1_000;
/** What is remembered while the instance starts, to be told with a start that failed. */
const TAIL_BYTES = 8 * 1024;

/** Writes one instance's lines to the app's log, within bounds whatever the instance sends. */
export class InstanceLog {
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #origin: Pick<LogEntry, 'component' | 'instance' | 'revision'>;
  readonly #kept: TokenBucket;
  readonly #filesRoot: string;
  readonly #members: readonly string[];
  /** Whose the process' own output is; null where that cannot be told: it comes through pipes, which know no requests. */
  requestId: string | null = null;
  #tail: OutputTail | null = new OutputTail(TAIL_BYTES);
  #droppedBytes = 0;
  #telling = false;

  /** @param instance null where it is not known yet. */
  static of(revision: CodeRevision, instance: string | null, sink: LogSink, clock: Clock): InstanceLog {
    const origin = { component: revision.spec.name, instance, revision: revision.id };
    return new InstanceLog(sink, clock, origin, filesRootOf(revision), groupMembers(revision) ?? []);
  }

  /**
   * @param filesRoot the app's folder: paths in stacks are told from there.
   * @param members of a group: each has the lines that it says itself.
   */
  constructor(
    sink: LogSink,
    clock: Clock,
    origin: Pick<LogEntry, 'component' | 'instance' | 'revision'>,
    filesRoot: string,
    members: readonly string[] = [],
  ) {
    this.#members = members;
    this.#filesRoot = filesRoot;
    this.#sink = sink;
    this.#clock = clock;
    this.#origin = origin;
    this.#kept = new TokenBucket(clock, KEPT_BYTES_PER_S, KEPT_BURST_BYTES);
  }

  /** The last of its output since it began to start, at most 8 KB; empty once it has {@link started}. */
  lastOutput(): string {
    return this.#tail?.toString() ?? '';
  }

  started(): void {
    this.#tail = null;
  }

  /** What the instance's console said. */
  line(frame: LogFrame): void {
    const cost = frame.text.length + LINE_COST_BYTES;
    if (this.#kept.take(cost)) this.#write(frame);
    else this.#drop(cost);
  }

  /** What came out of the process' own output: native code, children, Node itself. */
  raw(stream: 'stdout' | 'stderr', line: string): void {
    const text = authorLine(line, this.#filesRoot);
    this.#write({ stream, level: stream === 'stdout' ? 'info' : 'error', requestId: this.requestId, text });
  }

  #write({ member, stream, level, requestId, text }: LogFrame): void {
    this.#tail?.push(text);
    this.#sink.write({
      ...this.#origin,
      ...(member && this.#members.includes(member) && { component: member }),
      atMs: this.#clock.nowMs(),
      stream,
      level,
      text: text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)} … (cut)`,
      requestId,
      fields: null,
    });
  }

  #drop(bytes: number): void {
    this.#droppedBytes += bytes;
    if (this.#telling) return;
    this.#telling = true;
    this.#clock.after(TELL_EVERY_MS, () => {
      const text = `(${formatBytes(this.#droppedBytes)} of output dropped: more than ${formatBytes(KEPT_BYTES_PER_S)} a second is not kept)`;
      this.#telling = false;
      this.#droppedBytes = 0;
      this.#write({ stream: 'stderr', level: 'warn', requestId: null, text });
    });
  }
}
