import { formatBytes } from '../base/bytes.ts';
import { asFulcrumError, ERRORS, FulcrumError, type ErrorCode } from '../base/errors.ts';
import { MAX_EVENT_BYTES } from '../model/event.ts';
import type { KeptAnswer, WorkAnswer } from '../model/event-store.ts';
import { headOf, type Admission } from './admission.ts';
import type { AsyncRequests } from './async-requests.ts';
import { withoutPreference, type AsyncWish } from './async-wish.ts';
import { clientBehind } from './client-behind.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';
import { tooLarge } from './request-body.ts';
import type { RequestStream } from './request-stream.ts';
import type { GatewayTarget, ServedRelease } from './served-release.ts';
import { withWholeBody } from './whole-body.ts';

export interface LaterOptions {
  readonly parts: GatewayParts;
  readonly stream: RequestStream;
  readonly exchange: Exchange;
  readonly admission: Admission;
  readonly release: ServedRelease;
  readonly target: GatewayTarget & { readonly kind: 'instances' };
  readonly later: AsyncRequests;
}

/** What no cache may keep: an answer may be for one client only, and the next look may find another. */
const NO_STORE = ['Cache-Control', 'no-store'] as const;
/** Of a kept answer what this one says for itself. */
const OWN: ReadonlySet<string> = new Set([
  'content-length',
  'cache-control',
  'expires',
  'pragma',
  'date',
  'age',
]);

/** Keeps a request to be run later, or tells what became of one. */
export async function serveLater(o: LaterOptions, wish: AsyncWish): Promise<void> {
  const { exchange, parts } = o;
  try {
    if (wish.kind === 'keep') await keep(o, wish);
    else await look(o, wish.id);
  } catch (error) {
    if (!(error instanceof FulcrumError))
      parts.logger.error({ err: error, requestId: exchange.requestId }, 'a request could not be kept');
    exchange.refuse(asFulcrumError(error));
  }
  exchange.release();
}

async function keep(
  o: LaterOptions,
  { query, preferred }: AsyncWish & { readonly kind: 'keep' },
): Promise<void> {
  const { exchange, admission, target, later } = o;
  const { component, route } = target;
  later.admit(component, 'for-it', entrantOf(o));
  const { method } = exchange.request;
  const { url, target: inner, headers } = headOf({ ...admission, query }, method, exchange.requestId, false);
  const body = {
    ...{ parts: o.parts, stream: o.stream, exchange },
    limitBytes: Math.min(route.bodyLimitBytes, MAX_EVENT_BYTES),
    tooLarge: route.bodyLimitBytes > MAX_EVENT_BYTES ? tooLargeToKeep : tooLarge,
  };
  const { id } = await withWholeBody(body, (bytes) =>
    later.later({
      component,
      requestId: exchange.requestId,
      work: { kind: 'request', method, url, target: inner, fields: withoutPreference(headers), body: bytes },
    }),
  );
  const applied = preferred ? ['Preference-Applied', 'respond-async'] : [];
  waiting(exchange, id, ['Location', locationOf(admission, id), ...applied]);
}

async function look(o: LaterOptions, id: string): Promise<void> {
  const { exchange, target, later } = o;
  later.admit(target.component, 'for-its-answer', entrantOf(o));
  // What is no id need not be looked for.
  const kept = /^[\w-]{16,64}$/.test(id) ? await later.answer(id) : null;
  if (kept === null || kept.kind !== 'request' || kept.component !== target.component) {
    const message = 'No request of this id was asked for here, or its answer is no longer kept.';
    throw new FulcrumError('not-found', message);
  }
  if (kept.state === 'waiting') return waiting(exchange, id, []);
  answer(exchange, kept);
}

function waiting(exchange: Exchange, id: string, fields: readonly string[]): void {
  const headers = ['Content-Type', 'application/json', ...NO_STORE, ...fields];
  send(exchange, 202, headers, Buffer.from(JSON.stringify({ id, status: 'waiting' })));
}

/** The component's own answer, where it gave one to the end and it was kept; else why not. */
function answer(exchange: Exchange, { state, answer }: KeptAnswer): void {
  if (answer === null || !isOwn(answer, state)) throw failureOf(answer);
  const headers: string[] = [...NO_STORE];
  const fields = JSON.parse(answer.fields!) as readonly string[];
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (!OWN.has(fields[i]!.toLowerCase())) headers.push(fields[i]!, fields[i + 1]!);
  send(exchange, answer.status, headers, answer.data);
}

/** With outcome `ok` it came whole. An error beside it says of one that is done that it was too large to be kept. */
function isOwn({ outcome, status, fields, error }: WorkAnswer, state: KeptAnswer['state']): boolean {
  return outcome === 'ok' && status > 0 && fields !== null && (state === 'failed' || error === null);
}

function failureOf(answer: WorkAnswer | null): FulcrumError {
  const { code, message } = answer?.error ?? { code: 'internal', message: 'It did not end well.' };
  return new FulcrumError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'internal', message);
}

function send(exchange: Exchange, status: number, headers: readonly string[], body: Uint8Array): void {
  // Said even to HEAD, which gets no body.
  const length = status === 204 || status === 304 ? [] : ['Content-Length', String(body.length)];
  exchange.answer({ status, headers: [...headers, ...length] }, body);
}

/** Where the client asks for what became of it. */
function locationOf({ path, view }: Admission, id: string): string {
  // What begins with two slashes would name another host.
  const here = path.startsWith('//') ? `${view.proto}://${view.host}${path}` : path;
  return `${here}?async=${id}`;
}

function entrantOf({ admission, parts, release }: LaterOptions): { readonly client: string } {
  return {
    get client() {
      return clientBehind(admission.view, parts.proxies, release.proxies);
    },
  };
}

function tooLargeToKeep(limitBytes: number): FulcrumError {
  return new FulcrumError(
    'body-too-large',
    `What is asked for asynchronously may have a body of ${formatBytes(limitBytes)} at most, whatever else the route takes.`,
  );
}
