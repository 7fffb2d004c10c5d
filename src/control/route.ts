import type * as z from 'zod';
import type { Scope } from '../model/access-token.ts';
import type { Caller } from './caller.ts';
import type { CloudEventsRequest } from './port.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * What a route is about, and so which tokens reach it.
 *
 *   app      one app that exists; for a token of other apps there is none of that name
 *   new-app  one app, which need not exist yet
 *   own      what the caller may see of all apps
 *   server   the machine as a whole: not for tokens that are limited to apps
 */
type Reach = 'app' | 'new-app' | 'own' | 'server';

/** One route of the admin API, as data: who may use it, what goes in and out, how it is audited. */
export interface Route {
  /** Its name in the OpenAPI document. */
  readonly id: string;
  readonly method: Method;
  /** Below `/v1`, parameters in braces: `/apps/{app}/components/{component}`. */
  readonly path: string;
  /** `open`: without a token. */
  readonly scope: Scope | 'open';
  readonly reach: Reach;
  /** One line. */
  readonly summary: string;
  /** Of the path's parameters besides `app`. */
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: Body | undefined;
  readonly answer: Answer;
  /** What the log of changes calls it; null where it changes nothing. */
  readonly audit: AuditRule | null;
  handle(request: RouteRequest): Promise<unknown>;
}

export type Body = JsonBody | TarBody | EventBody;

interface JsonBody {
  readonly kind: 'json';
  readonly schema: z.ZodType;
  readonly maxBytes: number;
}

export interface TarBody {
  readonly kind: 'tar';
  readonly maxBytes: number;
}

/** JSON of `schema`, or CloudEvents in one of their three modes, as a client library sends them. */
interface EventBody {
  readonly kind: 'event';
  readonly schema: z.ZodType;
  readonly maxBytes: number;
}

export type EventInput<T = unknown> =
  | { readonly kind: 'json'; readonly value: T }
  | { readonly kind: 'cloud'; readonly request: CloudEventsRequest };

/** `json`: what `handle` gives is the body. `lines`: it gives a `LineStream`, newline-delimited JSON of `schema`. */
export interface Answer {
  readonly kind: 'json' | 'lines';
  readonly status: 200 | 201 | 202;
  readonly schema: z.ZodType;
  /** Of what is only begun, where somebody asks for that: `handle` gives it as `Later`, and it goes out with 202. */
  readonly later?: z.ZodType | undefined;
}

/** An answer that is told before what was asked for has been done. */
export class Later<T = unknown> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }
}

/** A body that comes line by line. `done` settles when it is complete, whether or not anybody still reads. */
export interface LineStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly done: Promise<unknown>;
}

interface AuditRule {
  readonly action: string;
  /** Whether it only looked. */
  looked?(request: RouteRequest): boolean;
  /** Never a secret. `answer` is null where there is none. */
  details?(request: RouteRequest, answer: unknown): Readonly<Record<string, unknown>>;
}

export interface RouteRequest<P = unknown, Q = unknown, B = unknown> {
  /** The app's id; empty where the path has none. */
  readonly app: string;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : unknown;
type BodyOf<B> = B extends { kind: 'json'; schema: infer S }
  ? Parsed<S>
  : B extends TarBody
    ? TarInput
    : B extends { kind: 'event'; schema: infer S }
      ? EventInput<Parsed<S>>
      : unknown;
/** An uploaded tar, as it comes. Throws `body-too-large`, and `body-timeout` where nothing comes for a while. */
type TarInput = AsyncIterable<Uint8Array>;

interface TypedRoute<
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  B extends Body | undefined,
  A extends Answer,
> extends Omit<Route, 'params' | 'query' | 'body' | 'answer' | 'audit' | 'handle'> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  readonly audit: {
    readonly action: string;
    looked?(request: RouteRequest<Parsed<P>, Parsed<Q>, BodyOf<B>>): boolean;
    details?(
      request: RouteRequest<Parsed<P>, Parsed<Q>, BodyOf<B>>,
      answer: Parsed<A['schema']> | LaterOf<A> | null,
    ): Readonly<Record<string, unknown>>;
  } | null;
  handle(
    request: RouteRequest<Parsed<P>, Parsed<Q>, BodyOf<B>>,
  ): Promise<A['kind'] extends 'lines' ? LineStream : Parsed<A['schema']> | LaterOf<A>>;
}

type LaterOf<A> = A extends { later: infer S extends z.ZodType } ? Later<z.output<S>> : never;

/** A route whose handler has the types that its schemas parse to. */
export function route<
  const A extends Answer,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends Body | undefined = undefined,
>(typed: TypedRoute<P, Q, B, A>): Route {
  // What a handler gets has been parsed by these very schemas, so its narrower parameters are right.
  return typed;
}

export function json<const S extends z.ZodType>(schema: S, status: 200 | 201 | 202 = 200) {
  return { kind: 'json', status, schema } as const;
}

/** The same, or `later` with 202. */
export function jsonOrLater<const S extends z.ZodType, const L extends z.ZodType>(schema: S, later: L) {
  return { kind: 'json', status: 200, schema, later } as const;
}

/** Every line of the answer is one `schema`. */
export function lines<const S extends z.ZodType>(schema: S) {
  return { kind: 'lines', status: 200, schema } as const;
}

const KB = 1024;

export function jsonBody<const S extends z.ZodType>(schema: S, maxBytes = KB * KB) {
  return { kind: 'json', schema, maxBytes } as const;
}

export function eventBody<const S extends z.ZodType>(schema: S, maxBytes: number) {
  return { kind: 'event', schema, maxBytes } as const;
}

export function tarBody(maxBytes: number): TarBody {
  return { kind: 'tar', maxBytes };
}
