import { randomBytes } from 'node:crypto';
import type { Affinity } from '../model/app.ts';
import type { Admission } from './admission.ts';
import type { GatewayParts } from './parts.ts';
import { clientBehind } from './client-behind.ts';

/** Set by the gateway, for a service whose clients keep to a replica: a random text that names nobody. */
const AFFINITY_COOKIE = 'fulcrum-affinity';
/** 128 random bits in base64url. */
const VALUE = /^[\w-]{22}$/;
/**
 * So much of a header's value counts. The end of a longer one: tokens of one issuer begin alike, and their signatures differ.
 */
const MOST_CHARACTERS = 1_024;

/** What keeps a request's client to a replica. */
export interface AffinityMark {
  /** Null: nothing does. */
  readonly key: string | null;
  /** A field line for the answer, with its end, where a service gives it: the client is to keep its mark. Empty for none. */
  readonly cookieLine: string;
}

const UNMARKED: AffinityMark = { key: null, cookieLine: '' };

/** By what `affinity` tells clients apart, the client of an admitted request. */
export function markOf(affinity: Affinity, admission: Admission, parts: GatewayParts): AffinityMark {
  switch (affinity.kind) {
    case 'cookie': {
      const known = affinityOf(admission.fields.cookie);
      if (known !== null) return { key: known, cookieLine: '' };
      const fresh = randomBytes(16).toString('base64url');
      const { app, view } = admission;
      const path = app === null || app.prefix === '' ? '/' : app.prefix;
      return { key: fresh, cookieLine: affinityLine(fresh, path, view.proto === 'https') };
    }
    case 'header': {
      const value = fieldOf(admission.fields.passed, affinity.name);
      return value === '' ? UNMARKED : { key: value.slice(-MOST_CHARACTERS), cookieLine: '' };
    }
    case 'ip': {
      const { release, view } = admission;
      return { key: clientBehind(view, parts.proxies, release?.proxies ?? null), cookieLine: '' };
    }
  }
}

/** The mark in a request's `Cookie` field; null where there is none. Of several the first that is one counts. */
export function affinityOf(cookie: string | null): string | null {
  if (cookie === null || !cookie.includes(AFFINITY_COOKIE)) return null;
  for (const pair of cookie.split(';')) {
    const mark = pair.indexOf('=');
    if (mark === -1 || pair.slice(0, mark).trim() !== AFFINITY_COOKIE) continue;
    const value = pair.slice(mark + 1).trim();
    if (VALUE.test(value)) return value;
  }
  return null;
}

/** The field line that has a client keep its mark until its browser is closed. */
export function affinityLine(value: string, path: string, secure: boolean): string {
  const flags = `Path=${path}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return `Set-Cookie: ${AFFINITY_COOKIE}=${value}; ${flags}\r\n`;
}

/** Empty where there is none. Of a repeated one the first. */
function fieldOf(fields: readonly string[], lower: string): string {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]!.length === lower.length && fields[i]!.toLowerCase() === lower) return fields[i + 1]!;
  }
  return '';
}
