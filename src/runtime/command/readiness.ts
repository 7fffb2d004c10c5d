import { platform } from 'node:process';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Health } from '../../model/instance.ts';
import type { ManagedProcess } from '../process/managed-process.ts';
import { listenersOf, type Listener } from './listening.ts';
import { probeConnect, probePath, type Address } from './probe.ts';
import type { StartProblem } from './start-failure.ts';

const FIRST_WAIT_MS = 5;
const LAST_WAIT_MS = 100;
const WAIT_FACTOR = 1.4;
const CONNECT_TIMEOUT_MS = 1_000;
/** Generous: a program's first answer is often its slowest. */
const HEALTH_TIMEOUT_MS = 5_000;
/** A program that listens elsewhere is told about it long before the limit: somebody is waiting at a terminal. */
const NOTICE_AFTER_MS = 2_000;
/**
 * How long somebody must have answered on the port before it is believed without proof that it is the program: it may
 * listen by way of another (a container engine). A program whose port a stranger holds ends or complains within it.
 */
const UNPROVEN_MS = 500;

export interface ReadinessOptions {
  readonly process: ManagedProcess;
  readonly port: number;
  readonly healthPath: string | null;
  readonly limitMs: number;
  readonly clock: Clock;
  /** Rejects with its reason. Whoever aborts it also kills the process, which ends a probe that hangs. */
  readonly signal: AbortSignal;
  /** Told once, while it goes on waiting, where the program listens instead. */
  readonly listensElsewhere: (ports: readonly number[]) => void;
}

export type Readiness = { readonly address: Address } | { readonly problem: StartProblem };

/** Waits until the program accepts connections on its port, and its health path answers 2xx where it has one. */
export async function untilReady(options: ReadinessOptions): Promise<Readiness> {
  const { process, port, clock, limitMs } = options;
  const startedMs = clock.monotonicMs();
  const ended = process.ended.then((end): Readiness => ({ problem: { kind: 'exited', end } }));
  let answeredSinceMs: number | null = null;
  let waitMs = FIRST_WAIT_MS;
  let noticed = false;
  for (;;) {
    options.signal.throwIfAborted();
    if (process.hasEnded) return await ended;
    const found = await firstAnswering(port, clock);
    let reason: string;
    if ('address' in found) {
      answeredSinceMs ??= clock.monotonicMs();
      const proven = await ownsPort(process.pid, port);
      if (proven || clock.monotonicMs() - answeredSinceMs >= UNPROVEN_MS) {
        const health = await checkHealth(found.address, options);
        if (health.healthy && !process.hasEnded) return found;
        reason = health.healthy ? 'it ended' : health.reason;
      } else reason = 'another process answers there';
    } else {
      answeredSinceMs = null;
      reason = found.reason;
    }
    const waitedMs = clock.monotonicMs() - startedMs;
    if (!noticed && waitedMs >= NOTICE_AFTER_MS && answeredSinceMs === null) {
      noticed = true;
      const ports = (await allListeners(process.pid))?.map((listener) => listener.port) ?? [];
      if (ports.length > 0 && !ports.includes(port)) options.listensElsewhere([...new Set(ports)]);
    }
    if (waitedMs >= limitMs) {
      return { problem: { kind: 'silent', limitMs, listeners: await allListeners(process.pid), reason } };
    }
    // Its end must not wait for the next look, nor may a timer keep the abort waiting.
    await Promise.race([ended, sleep(clock, waitMs, options.signal)]);
    waitMs = Math.min(waitMs * WAIT_FACTOR, LAST_WAIT_MS);
  }
}

async function firstAnswering(
  port: number,
  clock: Clock,
): Promise<{ address: Address } | { reason: string }> {
  const v4: Address = { host: '127.0.0.1', port };
  const health = await probeConnect(v4, CONNECT_TIMEOUT_MS, clock);
  if (health.healthy) return { address: v4 };
  const v6: Address = { host: '::1', port };
  if ((await probeConnect(v6, CONNECT_TIMEOUT_MS, clock)).healthy) return { address: v6 };
  return { reason: health.reason };
}

async function checkHealth(address: Address, options: ReadinessOptions): Promise<Health> {
  if (options.healthPath === null) return { healthy: true };
  return await probePath(address, options.healthPath, HEALTH_TIMEOUT_MS, options.clock);
}

/** Whether a process of the group listens on `port`; believed where the system does not tell. */
async function ownsPort(groupId: number, port: number): Promise<boolean> {
  if (platform !== 'linux') return true;
  try {
    for await (const listener of listenersOf(groupId)) if (listener.port === port) return true;
    return false;
  } catch {
    return false;
  }
}

async function allListeners(groupId: number): Promise<Listener[] | null> {
  try {
    const found: Listener[] = [];
    for await (const listener of listenersOf(groupId)) found.push(listener);
    return found;
  } catch {
    return null;
  }
}
