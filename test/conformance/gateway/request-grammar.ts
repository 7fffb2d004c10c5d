/** A source of random requests: mostly sound ones, with something wrong at every place where the grammar can be hurt. */

export type Random = () => number;

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

/** One to four requests behind one another, as a client may send them on one connection. */
export function randomConnection(random: Random, name: string): string {
  const count = 1 + Math.floor(random() * 4);
  let text = '';
  for (let i = 0; i < count; i++) text += randomRequest(random, name);
  return rarely(random, 0.1) ? hurt(random, text) : text;
}

/** Cuts `bytes` into one to six pieces, anywhere, and more often around the ends of lines. */
export function randomCuts(random: Random, bytes: Buffer): Buffer[] {
  const lineEnds = [...bytes.keys()].filter((i) => bytes[i] === 13 || bytes[i] === 10);
  const place = (): number => {
    const atLineEnd = lineEnds.length > 0 && rarely(random, 0.5);
    return atLineEnd
      ? pick(random, lineEnds) + Math.floor(random() * 2)
      : Math.floor(random() * bytes.length);
  };
  const cuts = Array.from({ length: Math.floor(random() * 6) }, place);
  const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
  return at
    .slice(1)
    .map((end, i) => bytes.subarray(at[i], end))
    .filter((piece) => piece.length > 0);
}

function randomRequest(random: Random, name: string): string {
  const method = pick(random, [
    'GET',
    'GET',
    'POST',
    'POST',
    'PUT',
    'HEAD',
    'OPTIONS',
    'PATCH',
    'X-OWN',
    'TRACE',
    'get',
  ]);
  const body = method === 'GET' || method === 'HEAD' ? '' : randomBody(random);
  const fields = [mostly(random, 'Host: shop.io', randomHost), `X-Case: ${name}`];
  for (let i = Math.floor(random() * 4); i > 0; i--) fields.push(randomField(random));
  let content = '';
  if (body !== '' || rarely(random, 0.1)) {
    if (rarely(random, 0.5)) {
      fields.push(mostly(random, `Content-Length: ${body.length}`, (r) => randomLength(r, body.length)));
      content = body;
    } else {
      fields.push(mostly(random, 'Transfer-Encoding: chunked', randomCoding));
      content = chunked(random, body);
    }
    if (rarely(random, 0.04)) fields.push(`Content-Length: ${body.length}`);
    if (rarely(random, 0.04)) fields.push('Transfer-Encoding: chunked');
  }
  if (rarely(random, 0.5)) fields.reverse();
  const empty = rarely(random, 0.05) ? '\r\n'.repeat(Math.floor(random() * 7)) : '';
  const line = [
    mostly(random, method, randomMethod),
    mostly(random, pick(random, ['/', '/a/b?c=d', '/%41', 'http://other.io/x?y', '*']), randomTarget),
    mostly(random, 'HTTP/1.1', randomVersion),
  ].join(mostly(random, ' ', (r) => pick(r, ['  ', '\t', ' \t', '', '\v'])));
  const ends = (): string =>
    mostly(random, '\r\n', (r) => pick(r, ['\n', '\r', '\r\r\n', '\n\r', '\r\n \r\n']), 0.01);
  return `${empty}${line}${ends()}${fields.map((field) => field + ends()).join('')}${ends()}${content}`;
}

function randomBody(random: Random): string {
  if (rarely(random, 0.1)) return SMUGGLED;
  const length = Math.floor(random() * (rarely(random, 0.1) ? 3_000 : 40));
  return Array.from({ length }, () => String.fromCharCode(Math.floor(random() * 256))).join('');
}

function chunked(random: Random, body: string): string {
  let text = '';
  for (let at = 0; at < body.length;) {
    const size = 1 + Math.floor(random() * (body.length - at));
    const hex = mostly(random, size.toString(16), (r) => randomChunkSize(r, size), 0.03);
    const extension = rarely(random, 0.15) ? randomExtension(random) : '';
    const line = mostly(random, '\r\n', (r) => pick(r, ['\n', '\r', '', ' \r\n', '\r\n\r\n']), 0.02);
    const end = mostly(random, '\r\n', (r) => pick(r, ['\n', '', 'x', '\r', '\r\r']), 0.02);
    text += `${hex}${extension}${line}${body.slice(at, at + size)}${end}`;
    at += size;
  }
  const zero = mostly(random, '0', (r) => pick(r, ['00', '0x0', '-0', '', '0 ']), 0.03);
  const trailers = rarely(random, 0.15) ? `${randomField(random)}\r\n` : '';
  return `${text}${zero}\r\n${trailers}\r\n`;
}

function randomChunkSize(random: Random, size: number): string {
  const hex = size.toString(16);
  return pick(random, [
    `0${hex}`,
    hex.toUpperCase(),
    `0x${hex}`,
    `+${hex}`,
    ` ${hex}`,
    `${hex}g`,
    '',
    'ffffffffffffffff',
    (size + 1).toString(16),
    Math.max(0, size - 1).toString(16),
    `0000000000000000${hex}`,
  ]);
}

function randomExtension(random: Random): string {
  return pick(random, [
    ';a',
    ';a=b',
    '; a = "b;c\\"" ;d',
    ';',
    ';=b',
    ';a="',
    ';a="\n"',
    ' ;a',
    ';a=b c',
    `;${'a'.repeat(200)}`,
    ';a=\x00',
  ]);
}

function randomField(random: Random): string {
  return mostly(
    random,
    pick(random, [
      'Accept: */*',
      'X-Two: a,  b',
      'X-Empty:',
      'X-Space: \t value \t ',
      'X-High: caf\xe9',
      'Connection: keep-alive',
      'Connection: close',
      'Connection: X-Two, close',
      'TE: trailers',
      'Expect: 100-continue',
      'Max-Forwards: 3',
      'X-Forwarded-For: 6.6.6.6',
      'Via: 1.0 fred',
      'Proxy-Authorization: x',
      'Upgrade: h2c',
      'Trailer: X-Two',
      'Keep-Alive: 5',
      'Cookie: a=1',
    ]),
    (r) =>
      pick(r, [
        'X-Folded: a\r\n b',
        'X-Folded: a\r\n\tb',
        'X-Nul: a\x00b',
        'X-Bell: a\x07b',
        'X-Del: a\x7fb',
        'X Space: a',
        'X-Before : a',
        'X-Before\t: a',
        ': nameless',
        'no colon',
        ' X-Indented: a',
        'X-Cr: a\rb',
        'X-Lf: a\nb',
        'Expect: 200-ok',
        'Max-Forwards: 0',
        'Max-Forwards: x',
        'Host: second.io',
        '\xffX: a',
        'X-(Paren): a',
        `X-Long: ${'x'.repeat(17_000)}`,
        Array.from({ length: 300 }, (_, i) => `X-${i}: a`).join('\r\n'),
      ]),
    0.1,
  );
}

const randomHost = (random: Random): string =>
  pick(random, [
    'Host:',
    'Host: a b',
    'Host: user@shop.io',
    'Host: shop.io/path',
    'Host: shop.io:99999',
    'Host: [::1]:80',
    'Host: a,b',
    'Host: 999.999.999.999',
    'host: SHOP.io:8080',
    'X-None: a',
    'Host: shop.io\r\nHost: shop.io',
  ]);

function randomLength(random: Random, length: number): string {
  return pick(random, [
    `Content-Length: +${length}`,
    `Content-Length: -${length}`,
    `Content-Length: ${length}, ${length}`,
    `Content-Length: 0x${length.toString(16)}`,
    `Content-Length: ${length} `,
    `Content-Length: 0${length}`,
    `Content-Length: ${length}.0`,
    'Content-Length:',
    'Content-Length: 99999999999999999999',
    `Content-Length: ${length}\r\nContent-Length: ${length}`,
    `Content-Length: ${length}\r\nContent-Length: ${length + 1}`,
    `Content-Length: ${length + 5}`,
    `Content-Length: ${Math.max(0, length - 3)}`,
    `Content_Length: ${length}`,
  ]);
}

const randomCoding = (random: Random): string =>
  pick(random, [
    'Transfer-Encoding: CHUNKED',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, gzip',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding:',
    'Transfer-Encoding: ,chunked',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding:\tchunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: "chunked"',
    'Transfer_Encoding: chunked',
  ]);

const randomMethod = (random: Random): string =>
  pick(random, [
    'G ET',
    'GE(T',
    '',
    'CONNECT',
    'x'.repeat(70),
    'G\x00T',
    '\x16\x03\x01',
    'MOVE',
    '"GET"',
    'PRI',
  ]);

const randomTarget = (random: Random): string =>
  pick(random, [
    '',
    'a',
    'a:80',
    '//a',
    '/a b',
    '/a#b',
    '/%',
    '/%4',
    '/%zz',
    '/\xe9',
    '/a\x00',
    '/a/../b',
    '/%2e%2e/b',
    '\\a',
    'ftp://a/',
    'http://',
    'http://u@a/',
    'http:///x',
    'https://other.io',
    '/[x]',
    '/"<>^`{|}',
    `/${'x'.repeat(17_000)}`,
    '?a',
    '*a',
  ]);

const randomVersion = (random: Random): string =>
  pick(random, [
    'HTTP/1.0',
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1.1 ',
    'HTTP/1',
    'HTTP/11',
    'HTTQ/1.1',
    '',
    'HTTP/1.1x',
    'HTTP/01.1',
  ]);

/** Changes, removes or doubles a character or two anywhere. */
function hurt(random: Random, text: string): string {
  let result = text;
  for (let i = 1 + Math.floor(random() * 2); i > 0; i--) {
    const at = Math.floor(random() * result.length);
    const code = String.fromCharCode(Math.floor(random() * 256));
    const middle = pick(random, [
      '',
      code,
      result.slice(at, at + 1).repeat(2),
      `${code}${result.slice(at, at + 1)}`,
    ]);
    result = result.slice(0, at) + middle + result.slice(at + 1);
  }
  return result;
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

function rarely(random: Random, share: number): boolean {
  return random() < share;
}

function mostly(random: Random, sound: string, other: (random: Random) => string, share = 0.05): string {
  return rarely(random, share) ? other(random) : sound;
}
