import { connect, type Socket } from 'node:net';
import { percentile } from './statistics.ts';

/** Requests over `connections` connections that are kept, each with one request at a time, for so long or so many. */
export interface LoadJob {
  readonly url: string;
  readonly connections: number;
  readonly durationMs?: number;
  readonly count?: number;
  /** Measures only answers whose `Server-Timing` says that they were cold; `count` is of all. */
  readonly onlyCold?: boolean;
  /** How long each connection rests between an answer and its next request; 0. */
  readonly pauseMs?: number;
  /** Sent as a POST where it is given, else it is a GET. */
  readonly body?: string;
}

export interface LoadResult {
  /** How many were measured. */
  readonly requests: number;
  /** Answers other than 200, and connections that broke. */
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

const HEAD_END = '\r\n\r\n';
const CHUNKED_END = '0\r\n\r\n';

/** On plain sockets: Node's own client would cost more than the servers that are measured. */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const target = new URL(job.url);
  const request = requestBytes(target, job.body);
  const latencies: number[] = [];
  let left = job.count ?? Infinity;
  let failed = 0;
  const begunMs = performance.now();
  const endMs = begunMs + (job.durationMs ?? Infinity);

  const mayGoOn = (): boolean => {
    if (left <= 0 || performance.now() >= endMs) return false;
    left--;
    return true;
  };
  const connections = Array.from({ length: job.connections }, () =>
    driveConnection(target, request, job.pauseMs ?? 0, mayGoOn, (tookMs, answer) => {
      if (answer.status !== 200) failed++;
      if (answer.cold || job.onlyCold !== true) latencies.push(tookMs);
    }),
  );
  failed += (await Promise.all(connections)).filter((broke) => broke).length;
  const seconds = (performance.now() - begunMs) / 1_000;

  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: sorted.length,
    failed,
    perSecond: sorted.length / seconds,
    p50Ms: percentile(sorted, 0.5),
    p90Ms: percentile(sorted, 0.9),
    p99Ms: percentile(sorted, 0.99),
  };
}

/** @returns whether the connection broke. */
function driveConnection(
  target: URL,
  request: Buffer,
  pauseMs: number,
  mayGoOn: () => boolean,
  answered: (tookMs: number, answer: Answer) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    let sentMs = 0;
    let finished = false;
    const finish = (broke: boolean): void => {
      if (finished) return;
      finished = true;
      socket.destroy();
      resolve(broke);
    };
    const next = (): void => {
      if (!mayGoOn()) return finish(false);
      sentMs = performance.now();
      socket.write(request);
    };
    socket.on('connect', next);
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = readAnswer(received);
      if (answer === null) return;
      received = Buffer.alloc(0);
      answered(performance.now() - sentMs, answer);
      if (answer.closes) finish(true);
      else if (pauseMs > 0) setTimeout(next, pauseMs);
      else next();
    });
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
  });
}

interface Answer {
  readonly status: number;
  readonly closes: boolean;
  readonly cold: boolean;
}

/** Null while the answer is not whole. There is never more than one, since requests are not pipelined. */
function readAnswer(received: Buffer): Answer | null {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = received.toString('latin1', 0, headEnd).toLowerCase();
  const length = /\ncontent-length: *(\d+)/.exec(head);
  const whole =
    length === null
      ? received.toString('latin1', received.length - CHUNKED_END.length) === CHUNKED_END
      : received.length >= headEnd + HEAD_END.length + Number(length[1]);
  if (!whole) return null;
  return {
    status: Number(head.slice(9, 12)),
    closes: head.includes('\nconnection: close'),
    cold: head.includes('cold;desc=yes'),
  };
}

function requestBytes(target: URL, body: string | undefined): Buffer {
  const lines = [
    `${body === undefined ? 'GET' : 'POST'} ${target.pathname} HTTP/1.1`,
    `Host: ${target.host}`,
    ...(body === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}${HEAD_END}${body ?? ''}`);
}
