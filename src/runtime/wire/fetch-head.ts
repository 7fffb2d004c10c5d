import { unsoundField } from '../../base/binding-fields.ts';
import { isToken } from '../../base/header-field.ts';
import type { RawHeaders } from '../../model/http.ts';
import { protocolError } from './protocol-error.ts';

/** An HTTP request through a service binding, but for its body. */
export interface FetchHead {
  readonly method: string;
  /** Absolute, http or https. */
  readonly url: string;
  /** As the caller has written them. */
  readonly headers: RawHeaders;
  readonly hasBody: boolean;
  /** Of the body, where the caller knows; a body that turns out to be another is broken off. */
  readonly lengthBytes: number | null;
}

/** Whether it is a request that may be passed on {@link whatIsWrong} says; here it is only of its kind. */
export function readFetchHead(value: unknown): FetchHead {
  const { method, url, headers, hasBody, lengthBytes } = (value ?? {}) as Record<string, unknown>;
  if (typeof method !== 'string' || typeof url !== 'string' || typeof hasBody !== 'boolean')
    throw protocolError('a request without method, URL and whether it has a body');
  if (
    !Array.isArray(headers) ||
    headers.length % 2 !== 0 ||
    headers.some((text) => typeof text !== 'string')
  ) {
    throw protocolError('a request whose fields are no list of names and values');
  }
  if (lengthBytes !== null && !(Number.isSafeInteger(lengthBytes) && (lengthBytes as number) >= 0))
    throw protocolError('a request whose body has no length');
  return { method, url, headers: headers as string[], hasBody, lengthBytes: lengthBytes as number | null };
}

/**
 * Why a request cannot be passed on, as the rest of a sentence about it; null where it can. An instance may send anything, and what is not sound would mean
 * something else to a program that it is passed on to.
 */
export function whatIsWrong({ method, url, headers }: FetchHead): string | null {
  if (!isToken(method)) return 'its method is none';
  const read = URL.parse(url);
  if (read === null || (read.protocol !== 'http:' && read.protocol !== 'https:') || read.href !== url)
    return 'its URL is no absolute one of http or https';
  if (read.username !== '' || read.password !== '' || url.includes('#'))
    return 'its URL has credentials or a fragment';
  const unsound = unsoundField(headers);
  return unsound === null ? null : `its header ${JSON.stringify(unsound)} is none that HTTP can carry`;
}

/** @param wrong as {@link whatIsWrong} says it. */
export function cannotBePassedOn(to: string, requestId: string, wrong: string): string {
  return `The request to component "${to}" cannot be passed on (request ${requestId}): ${wrong}.`;
}
