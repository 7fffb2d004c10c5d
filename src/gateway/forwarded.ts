import { isIP } from 'node:net';
import { trimmed } from '../base/ows.ts';
import { plainAddress } from './trusted-proxies.ts';
import type { HostNames } from './host-names.ts';
import type { RequestFields } from './request-fields.ts';

/** The request as the client meant it, and the fields that tell a component so. */
export interface ClientView {
  readonly proto: 'http' | 'https';
  /** Host and port. */
  readonly host: string;
  /** `X-Forwarded-For`: from the client to our peer, nearest last. */
  readonly chain: string;
  /** `Forwarded` (RFC 7239), which says the same. */
  readonly forwarded: string;
  /** The four fields that tell it, name, value, … with NUL between. */
  readonly text: string;
}

/**
 * What is known of the client. A peer that is not trusted is the client, whatever it says. A trusted one is believed:
 * its chain is kept and it is added to it. Of a repeated host or scheme the last counts, for it is the one that our peer
 * vouches for; the first is what a client can have put there. `Forwarded` is read only where there is no `X-Forwarded-For`:
 * a proxy that writes the one commonly lets the other through as the client sent it.
 *
 * @param peer the address at the other end of the connection.
 * @param spoken what is spoken with it.
 * @param host the request's own host, already known to be valid.
 */
export function clientView(
  fields: RequestFields,
  peer: string,
  spoken: 'http' | 'https',
  trusted: boolean,
  host: string,
  hosts: HostNames,
): ClientView {
  const address = plainAddress(peer);
  if (!trusted) return viewOf(spoken, host, address, element(address, host, spoken));
  const said =
    fields.forwardedFor === null && fields.forwarded !== null ? readForwarded(fields.forwarded) : null;
  const nodes = said?.nodes ?? listOf(fields.forwardedFor ?? fields.realIp);
  const saidHost = said?.host ?? lastOf(fields.forwardedHost);
  const meantHost = saidHost !== null && hosts.read(saidHost) !== null ? saidHost : host;
  const saidProto = said?.proto ?? lastOf(fields.forwardedProto) ?? spoken;
  const proto = saidProto.toLowerCase() === 'https' ? 'https' : 'http';
  const earlier = nodes.map((node) => `for=${nodeText(node)}`);
  const chain = [...nodes, address].join(', ');
  return viewOf(proto, meantHost, chain, [...earlier, element(address, meantHost, proto)].join(', '));
}

function viewOf(proto: 'http' | 'https', host: string, chain: string, forwarded: string): ClientView {
  const told = `X-Forwarded-For\0${chain}\0X-Forwarded-Host\0${host}`;
  const text = `${told}\0X-Forwarded-Proto\0${proto}\0Forwarded\0${forwarded}`;
  return { proto, host, chain, forwarded, text };
}

function element(address: string, host: string, proto: string): string {
  return `for=${nodeText(address)};host=${/^[\w.~-]+$/.test(host) ? host : `"${host}"`};proto=${proto}`;
}

/** A node as RFC 7239 writes it; what is no address is `unknown`, for it could hold anything. */
function nodeText(node: string): string {
  const address = addressOf(node);
  const version = isIP(address);
  if (version === 4) return address;
  return version === 6 ? `"[${address}]"` : 'unknown';
}

function listOf(value: string | null): string[] {
  if (value === null) return [];
  return value
    .split(',')
    .map((part) => trimmed(part))
    .filter((part) => part !== '');
}

function lastOf(value: string | null): string | null {
  return listOf(value).at(-1) ?? null;
}

const PAIR = /([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*([;,]|$)\s*/y;

/** Reads a `Forwarded` field; null where it does not follow RFC 7239 and so says nothing that could be relied on. */
export function readForwarded(
  value: string,
): { nodes: string[]; host: string | null; proto: string | null } | null {
  const nodes: string[] = [];
  let host: string | null = null;
  let proto: string | null = null;
  const text = trimmed(value);
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match === null) return null;
    const found = match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3] ?? '';
    const name = match[1]!.toLowerCase();
    if (name === 'for') nodes.push(addressOf(found));
    else if (name === 'host') host = found;
    else if (name === 'proto') proto = found;
  }
  return { nodes, host, proto };
}

/** The addresses of a chain, from the client to our peer; what a proxy has said that is none, as it said it. */
export function addressesOf({ chain }: Pick<ClientView, 'chain'>): string[] {
  return chain.split(', ').map((node) => addressOf(node));
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without port and brackets. */
function addressOf(node: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(node);
  if (bracketed !== null) return bracketed[1]!;
  const ported = /^([\d.]+):\d+$/.exec(node);
  return ported === null ? node : ported[1]!;
}
