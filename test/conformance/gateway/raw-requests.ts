/** A raw request, what it must be answered with, and what the component must have seen of it. */
export interface RawRequest {
  readonly name: string;
  readonly bytes: string;
  /** Any of these. 0: the connection ends without an answer. */
  readonly status: readonly number[];
  readonly closes: boolean;
  /** Null where nothing may reach the component. */
  readonly seen: {
    readonly method?: string;
    readonly target?: string;
    readonly body?: string;
    /** In lower case; null: the field must be absent. */
    readonly fields?: Readonly<Record<string, string | null>>;
  } | null;
}

const GET = 'GET / HTTP/1.1\r\n';
const HOST = 'Host: shop.io\r\n';
const POST = `POST / HTTP/1.1\r\n${HOST}`;

const table: RawRequest[] = [];

/** Reaches the component, and the connection stays. */
function passes(name: string, bytes: string, seen: NonNullable<RawRequest['seen']> = {}): void {
  table.push({ name, bytes, status: [200], closes: false, seen });
}
/** Reaches the component, and the connection ends. */
function ends(name: string, bytes: string, seen: NonNullable<RawRequest['seen']> = {}): void {
  table.push({ name, bytes, status: [200], closes: true, seen });
}
/** Refused, and the connection ends: what follows cannot be trusted. */
function refused(name: string, bytes: string, ...status: number[]): void {
  table.push({ name, bytes, status: status.length === 0 ? [400] : status, closes: true, seen: null });
}
/** Answered by the gateway itself, and the connection stays. */
function own(name: string, bytes: string, ...status: number[]): void {
  table.push({ name, bytes, status, closes: false, seen: null });
}

// ── the request line (RFC 9112, 3) ──────────────────────────────────────────────────────────────────────────────────────────
passes('the simplest request', `${GET}${HOST}\r\n`, { method: 'GET', target: '/', body: '' });
passes('an empty line before it (2.2)', `\r\n${GET}${HOST}\r\n`);
passes('four empty lines before it', `\r\n\r\n\r\n\r\n${GET}${HOST}\r\n`);
refused('more empty lines than anybody sends', `${'\r\n'.repeat(5)}${GET}${HOST}\r\n`);
refused('a bare line feed before it', `\n${GET}${HOST}\r\n`);
refused('white space before the method', ` ${GET}${HOST}\r\n`);
refused('two spaces behind the method', `GET  / HTTP/1.1\r\n${HOST}\r\n`);
refused('a tab behind the method', `GET\t/ HTTP/1.1\r\n${HOST}\r\n`);
refused('two spaces before the version', `GET /  HTTP/1.1\r\n${HOST}\r\n`);
refused('a space behind the version', `GET / HTTP/1.1 \r\n${HOST}\r\n`);
refused('no target', `GET HTTP/1.1\r\n${HOST}\r\n`);
refused('an empty target', `GET  HTTP/1.1\r\n${HOST}\r\n`);
refused('no version, as in HTTP/0.9', `GET /\r\n\r\n`);
refused('a method that is no token', `G(T / HTTP/1.1\r\n${HOST}\r\n`);
refused('a quoted method', `"GET" / HTTP/1.1\r\n${HOST}\r\n`);
refused('a NUL in the method', `G\0T / HTTP/1.1\r\n${HOST}\r\n`);
refused('a method of 65 characters', `${'M'.repeat(65)} / HTTP/1.1\r\n${HOST}\r\n`);
passes('a method of 64 characters', `${'M'.repeat(64)} / HTTP/1.1\r\n${HOST}\r\n`, {
  method: 'M'.repeat(64),
});
passes('methods are case-sensitive (RFC 9110, 9.1)', `get / HTTP/1.1\r\n${HOST}\r\n`, { method: 'get' });
passes('a method that HTTP does not define', `BREW /pot HTTP/1.1\r\n${HOST}\r\n`, {
  method: 'BREW',
  target: '/pot',
});
passes('all characters of a token', `!#$%&'*+-.^_\`|~09azAZ / HTTP/1.1\r\n${HOST}\r\n`);
refused('the hello of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n');
refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 505);
refused('a bare line feed at its end', `GET / HTTP/1.1\n${HOST}\r\n`);
refused('bare line feeds throughout', 'GET / HTTP/1.1\nHost: a\n\n');
refused('a bare carriage return at its end', `GET / HTTP/1.1\r${HOST}\r\n`);
refused('two carriage returns at its end', `GET / HTTP/1.1\r\r\n${HOST}\r\n`);
refused('a request line that never ends', `GET /${'x'.repeat(17_000)}`, 414);
refused('a request line too long', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\n${HOST}\r\n`, 414, 431);
passes('a request line of 15 KB', `GET /${'x'.repeat(15_000)} HTTP/1.1\r\n${HOST}\r\n`);

// ── versions (RFC 9112, 2.3; RFC 9110, 2.5) ──────────────────────────────────────────────────────────────────────────────────
ends('HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n');
ends('HTTP/1.0 with a host', `GET / HTTP/1.0\r\n${HOST}\r\n`, { fields: { host: 'shop.io' } });
passes('HTTP/1.0 that asks to stay', `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`);
passes('a later minor version is read as 1.1', `GET / HTTP/1.2\r\n${HOST}\r\n`);
passes('HTTP/1.9', `GET / HTTP/1.9\r\n${HOST}\r\n`);
refused('HTTP/2.0', `GET / HTTP/2.0\r\n${HOST}\r\n`, 505);
refused('HTTP/3.0', `GET / HTTP/3.0\r\n${HOST}\r\n`, 505);
refused('HTTP/0.9', `GET / HTTP/0.9\r\n${HOST}\r\n`, 505);
refused('HTTP/1', `GET / HTTP/1\r\n${HOST}\r\n`);
refused('HTTP/11', `GET / HTTP/11\r\n${HOST}\r\n`);
refused('HTTP/1.10', `GET / HTTP/1.10\r\n${HOST}\r\n`);
refused('HTTP/01.1', `GET / HTTP/01.1\r\n${HOST}\r\n`);
refused('http/1.1: the name is case-sensitive', `GET / http/1.1\r\n${HOST}\r\n`);
refused('another protocol', `GET / RTSP/1.1\r\n${HOST}\r\n`);
refused('HTTP/1.1x', `GET / HTTP/1.1x\r\n${HOST}\r\n`);

// ── request targets (RFC 9112, 3.2; RFC 3986) ────────────────────────────────────────────────────────────────────────────────
passes('origin form with a query', `GET /a/b?c=d&e HTTP/1.1\r\n${HOST}\r\n`, { target: '/a/b?c=d&e' });
passes('a query with question marks and slashes', `GET /?a?/b HTTP/1.1\r\n${HOST}\r\n`, { target: '/?a?/b' });
passes('an empty query', `GET /a? HTTP/1.1\r\n${HOST}\r\n`, { target: '/a?' });
passes('a double slash stays', `GET //a//b HTTP/1.1\r\n${HOST}\r\n`, { target: '//a//b' });
passes('encoded bytes stay encoded', `GET /%2f%41%ff HTTP/1.1\r\n${HOST}\r\n`, { target: '/%2f%41%ff' });
passes('dot segments are resolved before routing', `GET /a/../b/./c HTTP/1.1\r\n${HOST}\r\n`, {
  target: '/b/c',
});
passes('encoded dots are dots', `GET /a/%2e%2E/b HTTP/1.1\r\n${HOST}\r\n`, { target: '/b' });
passes('no path above the root', `GET /../../etc HTTP/1.1\r\n${HOST}\r\n`, { target: '/etc' });
passes('dots in the query stay', `GET /?a=../b HTTP/1.1\r\n${HOST}\r\n`, { target: '/?a=../b' });
passes('what browsers send unencoded', `GET /a?b="<>^\`{|} HTTP/1.1\r\n${HOST}\r\n`, {
  target: '/a?b="<>^`{|}',
});
refused('a fragment', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`);
refused('a byte above ASCII', `GET /caf\xe9 HTTP/1.1\r\n${HOST}\r\n`);
refused('a NUL in the target', `GET /a\0b HTTP/1.1\r\n${HOST}\r\n`);
refused('a control character in the target', `GET /a\x1fb HTTP/1.1\r\n${HOST}\r\n`);
refused('DEL in the target', `GET /a\x7fb HTTP/1.1\r\n${HOST}\r\n`);
refused('a percent sign alone', `GET /% HTTP/1.1\r\n${HOST}\r\n`);
refused('a percent sign with one digit', `GET /%4 HTTP/1.1\r\n${HOST}\r\n`);
refused('a percent sign with no hex digits', `GET /%zz HTTP/1.1\r\n${HOST}\r\n`);
refused('a half percent sign in the query', `GET /?a=%a HTTP/1.1\r\n${HOST}\r\n`);
refused('a relative target', `GET a HTTP/1.1\r\n${HOST}\r\n`);
refused('a query alone', `GET ?a HTTP/1.1\r\n${HOST}\r\n`);
passes('absolute form', `GET http://shop.io/a?b HTTP/1.1\r\n${HOST}\r\n`, {
  target: '/a?b',
  fields: { host: 'shop.io' },
});
passes('absolute form wins over Host (3.2.2)', `GET http://other.io/a HTTP/1.1\r\n${HOST}\r\n`, {
  target: '/a',
  fields: { host: 'other.io' },
});
passes('absolute form without a path', `GET http://other.io HTTP/1.1\r\n${HOST}\r\n`, { target: '/' });
passes('absolute form with a query and no path', `GET http://other.io?a HTTP/1.1\r\n${HOST}\r\n`, {
  target: '/?a',
});
passes('absolute form of https', `GET https://other.io/a HTTP/1.1\r\n${HOST}\r\n`, { target: '/a' });
passes('absolute form in capitals', `GET HTTP://other.io/a HTTP/1.1\r\n${HOST}\r\n`, { target: '/a' });
refused('absolute form and no Host', `GET http://other.io/a HTTP/1.1\r\n\r\n`);
refused('absolute form with userinfo', `GET http://user:pass@other.io/a HTTP/1.1\r\n${HOST}\r\n`);
refused('absolute form without a host', `GET http:///a HTTP/1.1\r\n${HOST}\r\n`);
refused('absolute form of another scheme', `GET ftp://other.io/a HTTP/1.1\r\n${HOST}\r\n`);
refused('authority form of another method', `GET other.io:80 HTTP/1.1\r\n${HOST}\r\n`);
refused('CONNECT', `CONNECT other.io:443 HTTP/1.1\r\n${HOST}\r\n`, 405);
refused(
  'CONNECT and what a tunnel would carry',
  `CONNECT other.io:443 HTTP/1.1\r\n${HOST}\r\nGET /smuggled HTTP/1.1\r\n${HOST}\r\n`,
  405,
);
own('asterisk form', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 204);
refused('asterisk form of another method', `GET * HTTP/1.1\r\n${HOST}\r\n`);
refused('asterisk form and no Host', 'OPTIONS * HTTP/1.1\r\n\r\n');
passes('OPTIONS of a path', `OPTIONS /a HTTP/1.1\r\n${HOST}\r\n`, { method: 'OPTIONS' });
own('TRACE', `TRACE / HTTP/1.1\r\n${HOST}\r\n`, 405);

// ── Host (RFC 9112, 3.2; RFC 9110, 7.2) ──────────────────────────────────────────────────────────────────────────────────────
refused('no Host', `${GET}\r\n`);
refused('an empty Host', `${GET}Host:\r\n\r\n`);
refused('a Host of spaces', `${GET}Host:   \r\n\r\n`);
refused('two Hosts', `${GET}${HOST}Host: other.io\r\n\r\n`);
refused('two Hosts that agree', `${GET}${HOST}${HOST}\r\n`);
refused('two Hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`);
refused('a list of hosts', `${GET}Host: a, b\r\n\r\n`);
refused('a Host with userinfo', `${GET}Host: user@shop.io\r\n\r\n`);
refused('a Host with a path', `${GET}Host: shop.io/path\r\n\r\n`);
refused('a Host with a query', `${GET}Host: shop.io?a\r\n\r\n`);
refused('a Host with a space', `${GET}Host: shop io\r\n\r\n`);
refused('a Host with a port out of range', `${GET}Host: shop.io:99999\r\n\r\n`);
refused('a Host with a port that is none', `${GET}Host: shop.io:x\r\n\r\n`);
refused('a Host with two ports', `${GET}Host: shop.io:1:2\r\n\r\n`);
refused('a Host that is no address', `${GET}Host: 999.999.999.999\r\n\r\n`);
refused('a Host with a scheme', `${GET}Host: http://shop.io\r\n\r\n`);
refused('a Host with a byte above ASCII', `${GET}Host: caf\xe9.io\r\n\r\n`);
passes('a Host with a port', `${GET}Host: shop.io:8080\r\n\r\n`, { fields: { host: 'shop.io:8080' } });
passes('a Host in capitals', `${GET}HOST: SHOP.IO\r\n\r\n`, { fields: { host: 'SHOP.IO' } });
passes('an IPv6 address', `${GET}Host: [::1]:80\r\n\r\n`, { fields: { host: '[::1]:80' } });
passes('an IPv4 address', `${GET}Host: 127.0.0.1\r\n\r\n`);

// ── field lines (RFC 9112, 5; RFC 9110, 5.5) ─────────────────────────────────────────────────────────────────────────────────
refused('a space before the colon (5.1)', `${GET}${HOST}X-A : b\r\n\r\n`);
refused('a tab before the colon', `${GET}${HOST}X-A\t: b\r\n\r\n`);
refused('a folded field (5.2)', `${GET}${HOST}X-A: b\r\n c\r\n\r\n`);
refused('a field folded by a tab', `${GET}${HOST}X-A: b\r\n\tc\r\n\r\n`);
refused('a first field that is folded', `${GET} ${HOST}\r\n`);
refused('a folded blank line', `${GET}${HOST} \r\n\r\n`);
refused('no name', `${GET}${HOST}: b\r\n\r\n`);
refused('no colon', `${GET}${HOST}X-A\r\n\r\n`);
refused('a name that is no token', `${GET}${HOST}X(A): b\r\n\r\n`);
refused('a name with a byte above ASCII', `${GET}${HOST}\xff: b\r\n\r\n`);
refused('a NUL in a value', `${GET}${HOST}X-A: a\0b\r\n\r\n`);
refused('a bell in a value', `${GET}${HOST}X-A: a\x07b\r\n\r\n`);
refused('DEL in a value', `${GET}${HOST}X-A: a\x7fb\r\n\r\n`);
refused('a bare carriage return in a value', `${GET}${HOST}X-A: a\rb\r\n\r\n`);
refused('a bare line feed in a value', `${GET}${HOST}X-A: a\nX-B: b\r\n\r\n`);
refused('a bare line feed behind a field', `${GET}${HOST}X-A: a\n\r\n`);
passes('an empty value', `${GET}${HOST}X-A:\r\n\r\n`, { fields: { 'x-a': '' } });
passes('white space around a value', `${GET}${HOST}X-A: \t b  c \t\r\n\r\n`, { fields: { 'x-a': 'b  c' } });
passes('no white space before a value', `${GET}${HOST}X-A:b\r\n\r\n`, { fields: { 'x-a': 'b' } });
passes('bytes above ASCII in a value', `${GET}${HOST}X-A: caf\xe9\r\n\r\n`, { fields: { 'x-a': 'caf\xe9' } });
passes('colons in a value', `${GET}${HOST}X-A: b:c::d\r\n\r\n`, { fields: { 'x-a': 'b:c::d' } });
passes('256 fields', `${GET}${HOST}${'X: y\r\n'.repeat(254)}\r\n`);
refused('257 fields', `${GET}${HOST}${'X: y\r\n'.repeat(256)}\r\n`, 431);
refused('more than 16 KB of fields', `${GET}${HOST}X-A: ${'a'.repeat(17_000)}\r\n\r\n`, 431);
refused('fields that never end', `${GET}${HOST}X-A: ${'a'.repeat(17_000)}`, 431);

// ── Content-Length (RFC 9112, 6.2 and 6.3; RFC 9110, 8.6) ────────────────────────────────────────────────────────────────────
passes('a body by its length', `${POST}Content-Length: 5\r\n\r\nhello`, {
  body: 'hello',
  fields: { 'content-length': '5' },
});
passes('a length of 0', `${POST}Content-Length: 0\r\n\r\n`, { body: '' });
passes('a length with leading zeros', `${POST}Content-Length: 005\r\n\r\nhello`, { body: 'hello' });
passes('a GET with a body', `${GET}${HOST}Content-Length: 5\r\n\r\nhello`, { method: 'GET', body: 'hello' });
passes('a body that looks like a request', `${POST}Content-Length: 21\r\n\r\nGET /smuggled HTTP/1.`, {
  body: 'GET /smuggled HTTP/1.',
});
for (const value of [
  '+5',
  '-5',
  '5, 5',
  '5,5',
  '0x5',
  '5.0',
  '5e0',
  '5 5',
  '',
  '١',
  '99999999999999999999',
  '9007199254740993',
  '5;',
]) {
  refused(
    `a length of "${value}"`,
    `${POST}Content-Length: ${Buffer.from(value).toString('latin1')}\r\n\r\nhello`,
  );
}
refused('two lengths', `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`);
refused('two lengths that agree', `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`);
refused('a space before the colon of a length', `${POST}Content-Length : 5\r\n\r\nhello`);

// ── Transfer-Encoding (RFC 9112, 6.1, 6.3, 7.1 and 11.2) ─────────────────────────────────────────────────────────────────────
const TE = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
passes('a chunked body', `${TE}5\r\nhello\r\n0\r\n\r\n`, {
  body: 'hello',
  fields: { 'transfer-encoding': null },
});
passes('several chunks', `${TE}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, { body: 'hello' });
passes('no chunks', `${TE}0\r\n\r\n`, { body: '' });
passes('hex in both cases', `${TE}A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n`, {
  body: '01234567890123456789',
});
passes('leading zeros of a size', `${TE}0005\r\nhello\r\n000\r\n\r\n`, { body: 'hello' });
passes('CHUNKED: codings are case-insensitive', `${POST}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`);
passes('an extension', `${TE}5;a=b\r\nhello\r\n0;c\r\n\r\n`, { body: 'hello' });
passes('a quoted extension', `${TE}5;a="b;\\"c"\r\nhello\r\n0\r\n\r\n`, { body: 'hello' });
passes('an extension with white space', `${TE}5 ; a = b\r\nhello\r\n0\r\n\r\n`, { body: 'hello' });
passes('trailers are read and dropped', `${TE}5\r\nhello\r\n0\r\nX-Trailer: a\r\nContent-Length: 3\r\n\r\n`, {
  body: 'hello',
  fields: { 'x-trailer': null, 'content-length': null },
});
passes('a binary body', `${TE}4\r\n\0\r\n\xff\r\n0\r\n\r\n`, { body: '\0\r\n\xff' });
refused('chunks and a length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`);
refused('a length and chunks', `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
refused('chunks in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
refused('gzip, chunked', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501);
refused(
  'gzip and chunked on two lines',
  `${POST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  501,
);
for (const value of [
  'chunked, gzip',
  'chunked, chunked',
  'gzip',
  'identity',
  'xchunked',
  'chunkedx',
  '"chunked"',
  '',
  'chunked;q=1',
]) {
  refused(`the coding "${value}"`, `${POST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`, 400, 501);
}
refused(
  'chunked twice on two lines',
  `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
);
refused('a space before its colon', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`);
refused(
  'no-break spaces around the coding',
  `${POST}Transfer-Encoding: \xa0chunked\xa0\r\n\r\n0\r\n\r\n`,
  400,
  501,
);
refused('a vertical tab before the coding', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`);
for (const [what, chunks] of [
  ['a size that is no hex', 'g\r\nhello\r\n0\r\n\r\n'],
  ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
  ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a space behind the size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['an empty size', '\r\nhello\r\n0\r\n\r\n'],
  ['a size beyond counting', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
  ['a size of 17 digits', '00000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['a chunk longer than it says', '4\r\nhello\r\n0\r\n\r\n'],
  ['a chunk shorter than it says', '6\r\nhello\r\n0\r\n\r\n'],
  ['a chunk without its line end', '5\r\nhello0\r\n\r\n'],
  ['a bare line feed behind the size', '5\nhello\r\n0\r\n\r\n'],
  ['a bare line feed behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['a bare carriage return behind the size', '5\rhello\r\n0\r\n\r\n'],
  ['an extension without a name', '5;=b\r\nhello\r\n0\r\n\r\n'],
  ['an extension with no name at all', '5;\r\nhello\r\n0\r\n\r\n'],
  ['an extension with an open quote', '5;a="b\r\nhello\r\n0\r\n\r\n'],
  ['an extension with a control character', '5;a=\x01\r\nhello\r\n0\r\n\r\n'],
  ['extensions that never end', `5;${'a'.repeat(5_000)}\r\nhello\r\n0\r\n\r\n`],
  ['a line feed inside an extension', '5;a\nGET /smuggled HTTP/1.1\r\nhello\r\n0\r\n\r\n'],
  ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
  ['a trailer without a colon', '0\r\nnonsense\r\n\r\n'],
  ['a trailer with a bare line feed', '0\r\nX: a\n\r\n'],
  ['a hundred trailers', `0\r\n${'X: a\r\n'.repeat(100)}\r\n`],
  ['trailers of 10 KB', `0\r\nX: ${'a'.repeat(10_000)}\r\n\r\n`],
] as const) {
  refused(`chunks: ${what}`, TE + chunks, 400, 431);
}

// ── what concerns one hop (RFC 9110, 7.6) ────────────────────────────────────────────────────────────────────────────────────
passes(
  'fields of one hop are not passed on',
  `${GET}${HOST}Keep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Authorization: x\r\nProxy-Connection: a\r\nX-Kept: 1\r\n\r\n`,
  {
    fields: {
      'keep-alive': null,
      te: null,
      trailer: null,
      'proxy-authorization': null,
      'proxy-connection': null,
      'x-kept': '1',
    },
  },
);
passes(
  'fields that Connection names are not passed on',
  `${GET}${HOST}Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\nx-hop: 2\r\nX-Kept: 1\r\n\r\n`,
  {
    fields: { 'x-hop': null, connection: null, 'x-kept': '1' },
  },
);
passes(
  'Connection cannot take the length away',
  `${POST}Connection: Content-Length\r\nContent-Length: 2\r\n\r\nhi`,
  { body: 'hi', fields: { 'content-length': '2' } },
);
passes('Connection cannot take the host away', `${GET}${HOST}Connection: Host\r\n\r\n`, {
  fields: { host: 'shop.io' },
});
passes('Via is added (7.6.3)', `${GET}${HOST}\r\n`, { fields: { via: '1.1 fulcrum' } });
ends('Via tells the version in which it came', `GET / HTTP/1.0\r\n\r\n`, {
  fields: { via: '1.0 fulcrum' },
});
passes('Via is added to', `${GET}${HOST}Via: 1.0 fred, 1.1 p.example\r\n\r\n`, {
  fields: { via: '1.0 fred, 1.1 p.example, 1.1 fulcrum' },
});
passes('an X-Request-Id of the client’s is none', `${GET}${HOST}X-Request-Id: mine\r\n\r\n`);
passes(
  'Max-Forwards of OPTIONS is counted down (7.6.2)',
  `OPTIONS / HTTP/1.1\r\n${HOST}Max-Forwards: 3\r\n\r\n`,
  { fields: { 'max-forwards': '2' } },
);
own(
  'Max-Forwards 0 of OPTIONS goes no further',
  `OPTIONS /a HTTP/1.1\r\n${HOST}Max-Forwards: 0\r\n\r\n`,
  204,
);
refused('Max-Forwards that is no number', `OPTIONS / HTTP/1.1\r\n${HOST}Max-Forwards: x\r\n\r\n`);
passes('Max-Forwards of another method says nothing', `${GET}${HOST}Max-Forwards: 0\r\n\r\n`, {
  fields: { 'max-forwards': '0' },
});
passes('X-Forwarded-For of a stranger is replaced', `${GET}${HOST}X-Forwarded-For: 6.6.6.6\r\n\r\n`, {
  fields: { 'x-forwarded-for': '127.0.0.1' },
});

// ── connections (RFC 9112, 9) ────────────────────────────────────────────────────────────────────────────────────────────────
ends('Connection: close', `${GET}${HOST}Connection: close\r\n\r\n`);
ends('close in a list, in capitals', `${GET}${HOST}Connection: X-A, CLOSE\r\n\r\n`);
ends('close beside keep-alive', `${GET}${HOST}Connection: keep-alive, close\r\n\r\n`);
ends('HTTP/1.0 that asks for close', `GET / HTTP/1.0\r\n${HOST}Connection: close\r\n\r\n`);
passes('an upgrade without Connection is none (RFC 9110, 7.8)', `${GET}${HOST}Upgrade: websocket\r\n\r\n`, {
  fields: { upgrade: null },
});
passes(
  'an upgrade to HTTP/2 is passed over',
  `${GET}${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n`,
  { fields: { upgrade: null, 'http2-settings': null } },
);
ends(
  'an upgrade in HTTP/1.0 is passed over',
  `GET / HTTP/1.0\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  { fields: { upgrade: null } },
);
passes(
  'an upgrade with a body is passed over',
  `${POST}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi`,
  { body: 'hi', fields: { upgrade: null } },
);

// ── Expect (RFC 9110, 10.1.1) ────────────────────────────────────────────────────────────────────────────────────────────────
passes('100-continue with its body behind it', `${POST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`, {
  body: 'hi',
  fields: { expect: null },
});
passes('100-CONTINUE', `${POST}Expect: 100-CONTINUE\r\nContent-Length: 2\r\n\r\nhi`, { body: 'hi' });
passes('100-continue without a body', `${GET}${HOST}Expect: 100-continue\r\n\r\n`);
ends(
  'an expectation in HTTP/1.0 is none',
  `POST / HTTP/1.0\r\n${HOST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
  { body: 'hi' },
);
own('another expectation', `${GET}${HOST}Expect: 200-ok\r\n\r\n`, 417);
refused('another expectation, with a body', `${POST}Expect: 200-ok\r\nContent-Length: 2\r\n\r\nhi`, 417);

// ── HEAD ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
passes('HEAD', `HEAD / HTTP/1.1\r\n${HOST}\r\n`, { method: 'HEAD' });
passes('HEAD with a body', `HEAD / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi`, {
  method: 'HEAD',
  body: 'hi',
});

export const RAW_REQUESTS: readonly RawRequest[] = table;
