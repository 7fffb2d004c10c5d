/**
 * What the server and its zygotes say to each other, over a Unix socket of which each zygote has its own. A message is a
 * u32 (little-endian) with the length of what follows, a byte with the number of descriptors that travel with it, and JSON.
 */
import type { BlankPlan, SandboxPlan } from '../sandbox/plan.ts';

/** To a root zygote: fork what will be a function's zygote, and waits until it is known whose. Descriptor: its control socket. */
interface BlankOrder {
  readonly do: 'blank';
  readonly id: number;
  readonly plan: BlankPlan | null;
  /** Nobody waits for it: it limbers up, and ends where something keeps it from its part of the sandbox. */
  readonly ahead: boolean;
}

/** To a blank zygote: load one revision. Descriptors: its wire, stdout, stderr. */
export interface BecomeOrder {
  readonly do: 'become';
  /** It serves by itself, and nothing is forked from it. */
  readonly alone: boolean;
  readonly sandbox: SandboxPlan | null;
  readonly compileCacheFolder: string | null;
}

/** To a function's zygote: fork an instance. Descriptors: its wire, stdout, stderr. */
interface InstanceOrder {
  readonly do: 'instance';
  readonly id: number;
  /** The name of its own folder below the sandbox' temporary one. */
  readonly folder: string;
}

/** To either: signal a child of yours and the group that it leads. Nothing happens where it has ended. */
interface SignalOrder {
  readonly do: 'signal';
  readonly pid: number;
  readonly signal: number;
}

export type ForkOrder = BlankOrder | InstanceOrder;
export type Order = ForkOrder | BecomeOrder | SignalOrder;

export type Report =
  /** `pid` as the zygote counts, which may be inside a process tree of its own. */
  | { readonly said: 'forked'; readonly id: number; readonly pid: number }
  | {
      readonly said: 'not-forked';
      readonly id: number;
      readonly why: string;
      /** The system's code where it had no room for another; null where it was something else. */
      readonly exhausted: string | null;
    }
  | {
      readonly said: 'ended';
      readonly pid: number;
      readonly exitCode: number | null;
      readonly signal: number | null;
      /** User and system time in all; absent: the zygote cannot tell. */
      readonly cpuMs?: number;
    }
  /** A function's zygote: the module is loaded and can be forked, unless `unsuited` says why not. */
  | {
      readonly said: 'loaded';
      readonly unsuited: string | null;
      /** An instance is ready only when it says so: the module has an `onStart`. */
      readonly starts: boolean;
      /** What the log should be told: random numbers drawn at load time. */
      readonly warnings: readonly string[];
    }
  /** A root zygote is ready for its first order. */
  | { readonly said: 'warm' };

/** Linux' own limit of process ids. */
const MAX_PID = 4_194_304;
const MAX_TEXT_LENGTH = 16 * 1024;
const MAX_WARNINGS = 20;

/** A function's zygote has run an author's code, and may say anything. Throws TypeError where `said` is no report. */
export function readReport(said: unknown): Report {
  const report = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>;
  const wholeTo = (name: string, max: number): boolean =>
    Number.isSafeInteger(report[name]) && (report[name] as number) >= 0 && (report[name] as number) <= max;
  const orNull = (name: string, max: number): boolean => report[name] === null || wholeTo(name, max);
  const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
  const isPid = wholeTo('pid', MAX_PID) && report['pid'] !== 0;
  const { said: kind, why, exhausted, unsuited, starts, warnings } = report;
  const isReport =
    kind === 'warm' ||
    (kind === 'forked' && isPid && wholeTo('id', Number.MAX_SAFE_INTEGER)) ||
    (kind === 'not-forked' &&
      isText(why) &&
      (exhausted === null || isText(exhausted)) &&
      wholeTo('id', Number.MAX_SAFE_INTEGER)) ||
    (kind === 'ended' &&
      isPid &&
      orNull('exitCode', 255) &&
      orNull('signal', 127) &&
      (report['cpuMs'] === undefined || wholeTo('cpuMs', Number.MAX_SAFE_INTEGER))) ||
    (kind === 'loaded' &&
      (unsuited === null || isText(unsuited)) &&
      typeof starts === 'boolean' &&
      Array.isArray(warnings) &&
      warnings.length <= MAX_WARNINGS &&
      warnings.every(isText));
  if (!isReport) throw new TypeError('A zygote said what is no report.');
  return report as unknown as Report;
}

const HEADER_BYTES = 5;
/** A message beyond this breaks the protocol. */
const MAX_MESSAGE_BYTES = 256 * 1024;

export function encodeMessage(message: Order | Report, descriptors = 0): Buffer {
  const text = JSON.stringify(message);
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  bytes.writeUInt32LE(length, 0);
  bytes[4] = descriptors;
  bytes.write(text, HEADER_BYTES, 'utf8');
  return bytes;
}

export interface Received<Message> {
  readonly message: Message;
  readonly descriptors: readonly number[];
}

/** Puts messages together from what a socket gives, however that is cut. */
export class MessageParser<Message extends Order | Report> {
  #bytes: Buffer = Buffer.alloc(0);
  #descriptors: number[] = [];

  /** @returns the messages that are whole now. Throws where what comes is no message. */
  push(bytes: Uint8Array, descriptors: readonly number[] = []): Received<Message>[] {
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
    this.#descriptors.push(...descriptors);
    const whole: Received<Message>[] = [];
    while (this.#bytes.length >= HEADER_BYTES) {
      const length = this.#bytes.readUInt32LE(0);
      if (length > MAX_MESSAGE_BYTES)
        throw new RangeError(`A zygote's message of ${length} bytes is too long.`);
      const end = HEADER_BYTES + length;
      if (this.#bytes.length < end) break;
      const message = JSON.parse(this.#bytes.toString('utf8', HEADER_BYTES, end)) as Message;
      whole.push({ message, descriptors: this.#descriptors.splice(0, this.#bytes[4]) });
      this.#bytes = this.#bytes.subarray(end);
    }
    return whole;
  }
}
