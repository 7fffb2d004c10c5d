import { connect, type Socket } from 'node:net';
import { percentile } from './statistics.ts';

/** Requests over `connections` connections that are kept, each with one request at a time, for so long or so many. */
export interface LoadJob {
  readonly url: string;
  /** In turn, instead of the one in `url`. */
  readonly paths?: readonly string[];
  readonly connections: number;
  readonly durationMs?: number;
  readonly count?: number;
  /** Measures only answers whose `Server-Timing` says that they were cold; `count` is of all. */
  readonly onlyCold?: boolean;
  /**
   * Requests are begun at so many a second, however long answers take, as long as a connection is free for them (open loop); without,
   * each connection asks again when it has its answer. Needs `durationMs`, and no `pauseMs`.
   */
  readonly perSecond?: number;
  /** How long each connection rests between an answer and its next request; 0. */
  readonly pauseMs?: number;
  /** Sent as a POST where it is given, else it is a GET. */
  readonly body?: string;
  /** Sent as a POST of so many bytes. */
  readonly uploadBytes?: number;
  /** Gives each latency back, in the order in which the answers came. */
  readonly keepLatencies?: boolean;
}

export interface LoadResult {
  /** How many were measured. */
  readonly requests: number;
  /** Answers other than 200, and connections that broke. */
  readonly failed: number;
  readonly perSecond: number;
  /** Of bodies, both ways. */
  readonly bytesPerSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** Where they were asked for. */
  readonly latenciesMs?: readonly number[];
}

const BUFFER_BYTES = 256 * 1024;

/**
 * On plain sockets that read into buffers of their own, and with answers told apart by their bytes: Node's own client would cost more
 * than the servers that are measured.
 */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const target = new URL(job.url);
  const requests = (job.paths ?? [target.pathname]).map((path) => requestBytes(target, path, job));
  let turn = 0;
  const latencies: number[] = [];
  let left = job.count ?? Infinity;
  let failed = 0;
  let bytes = 0;
  const begunMs = performance.now();
  const endMs = begunMs + (job.durationMs ?? Infinity);

  const mayGoOn = (): boolean => {
    if (left <= 0 || performance.now() >= endMs) return false;
    left--;
    return true;
  };
  let begun = 0;
  /** In how long a connection is to begin its next request. */
  const waitMs = (): number =>
    job.perSecond === undefined ? 0 : begunMs + (begun++ * 1_000) / job.perSecond - performance.now();
  const connections = Array.from({ length: job.connections }, () =>
    driveConnection(
      target,
      () => requests[turn++ % requests.length]!,
      job,
      mayGoOn,
      waitMs,
      (tookMs, answer) => {
        if (answer.status !== 200) failed++;
        bytes += answer.bodyBytes + (job.uploadBytes ?? job.body?.length ?? 0);
        if (answer.cold || job.onlyCold !== true) latencies.push(tookMs);
      },
    ),
  );
  // In two steps: `failed +=` would add to what it was before it waited, and forget every failure since.
  const broken = (await Promise.all(connections)).filter((broke) => broke).length;
  failed += broken;
  const seconds = (performance.now() - begunMs) / 1_000;

  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: sorted.length,
    failed,
    perSecond: sorted.length / seconds,
    bytesPerSecond: bytes / seconds,
    p50Ms: percentile(sorted, 0.5),
    p90Ms: percentile(sorted, 0.9),
    p99Ms: percentile(sorted, 0.99),
    ...(job.keepLatencies === true && { latenciesMs: latencies }),
  };
}

/** @returns whether the connection broke. */
function driveConnection(
  target: URL,
  nextRequest: () => Buffer,
  job: LoadJob,
  mayGoOn: () => boolean,
  waitMs: () => number,
  answered: (tookMs: number, answer: Answer) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    let sentMs = 0;
    let finished = false;
    const reader = new AnswerReader(job.onlyCold === true);
    const finish = (broke: boolean): void => {
      if (finished) return;
      finished = true;
      socket.destroy();
      resolve(broke);
    };
    const next = (): void => {
      const inMs = waitMs();
      if (inMs > 0) setTimeout(send, inMs);
      else send();
    };
    const send = (): void => {
      if (!mayGoOn()) return finish(false);
      sentMs = performance.now();
      socket.write(nextRequest());
    };
    const socket: Socket = connect({
      host: target.hostname,
      port: Number(target.port),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
        callback: (length, bytes) => {
          const answer = reader.push(bytes as Buffer, length);
          if (answer === null) return true;
          answered(performance.now() - sentMs, answer);
          if (answer.closes) finish(true);
          else if (job.pauseMs !== undefined && job.pauseMs > 0) setTimeout(next, job.pauseMs);
          else next();
          return true;
        },
      },
    });
    socket.on('connect', next);
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
  });
}

interface Answer {
  readonly status: number;
  readonly closes: boolean;
  readonly cold: boolean;
  readonly bodyBytes: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNKED_END = '0\r\n\r\n';
/** The end of `Content-Length: `, in either letter case. */
const LENGTH = Buffer.from('ength: ');
const CLOSES = /\nconnection: close/i;
const COLD = /cold;desc=yes/;

/** Tells when an answer is whole. There is never more than one, since requests are not pipelined. */
class AnswerReader {
  readonly #looksForCold: boolean;
  /** The head as far as it has come, where it came in pieces. */
  #head: Buffer = Buffer.alloc(0);
  #missing = 0;
  /** Of a body without a length. */
  #seen = 0;
  #answer: Answer | null = null;
  #tail = '';

  constructor(looksForCold: boolean) {
    this.#looksForCold = looksForCold;
  }

  push(bytes: Buffer, length: number): Answer | null {
    if (this.#answer !== null) return this.#body(bytes, 0, length);
    const piece = bytes.subarray(0, length);
    const seen = this.#head.length === 0 ? piece : Buffer.concat([this.#head, piece]);
    const end = seen.indexOf(HEAD_END);
    if (end === -1) {
      this.#head = Buffer.from(seen);
      return null;
    }
    this.#head = Buffer.alloc(0);
    const at = seen.indexOf(LENGTH);
    let bodyBytes = -1;
    if (at !== -1 && at < end) {
      bodyBytes = 0;
      for (let i = at + LENGTH.length; seen[i]! >= 48 && seen[i]! <= 57; i++)
        bodyBytes = bodyBytes * 10 + seen[i]! - 48;
    }
    // Only where it matters: turning heads into text is what this would mostly cost.
    const text = this.#looksForCold || bodyBytes === -1 ? seen.toString('latin1', 0, end) : '';
    this.#answer = {
      status: (seen[9]! - 48) * 100 + (seen[10]! - 48) * 10 + seen[11]! - 48,
      closes: CLOSES.test(text),
      cold: COLD.test(text),
      bodyBytes,
    };
    this.#missing = bodyBytes;
    return this.#body(seen, end + HEAD_END.length, seen.length);
  }

  #body(bytes: Buffer, from: number, to: number): Answer | null {
    const answer = this.#answer!;
    if (answer.bodyBytes === -1) {
      this.#seen += to - from;
      const last = bytes.toString('latin1', Math.max(from, to - CHUNKED_END.length), to);
      this.#tail = (this.#tail + last).slice(-CHUNKED_END.length);
      if (this.#tail !== CHUNKED_END) return null;
    } else {
      this.#missing -= to - from;
      if (this.#missing > 0) return null;
    }
    const bodyBytes = answer.bodyBytes === -1 ? this.#seen : answer.bodyBytes;
    this.#answer = null;
    this.#tail = '';
    this.#seen = 0;
    return { ...answer, bodyBytes };
  }
}

function requestBytes(target: URL, path: string, { body, uploadBytes }: LoadJob): Buffer {
  const length = uploadBytes ?? (body === undefined ? null : Buffer.byteLength(body));
  const lines = [
    `${length === null ? 'GET' : 'POST'} ${path} HTTP/1.1`,
    `Host: ${target.host}`,
    ...(length === null
      ? []
      : [
          `Content-Type: ${uploadBytes === undefined ? 'application/json' : 'application/octet-stream'}`,
          `Content-Length: ${length}`,
        ]),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  return Buffer.concat([
    head,
    uploadBytes === undefined ? Buffer.from(body ?? '') : Buffer.alloc(uploadBytes),
  ]);
}
