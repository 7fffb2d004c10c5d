import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RequestReader } from './request-reader.ts';
import type { Head, ReaderSink } from './request-reader.ts';

const LIMITS = { headerBytes: 16 * 1024, headerCount: 256 };

/** Notes what a reader says, and goes on to the next request at once, or when it is told to. */
class Notes implements ReaderSink {
  readonly notes: string[] = [];
  readonly reader: RequestReader;
  readonly #goesOn: boolean;

  constructor(goesOn = true) {
    this.#goesOn = goesOn;
    this.reader = new RequestReader(this, LIMITS);
  }

  head(head: Head): 'http' {
    this.notes.push(`${head.method} ${head.target} ${head.fields.passed.join('|')} `);
    if (head.bodyBytes === 0 && this.#goesOn) this.reader.next();
    return 'http';
  }

  data(bytes: Buffer): void {
    this.notes[this.notes.length - 1] += bytes.toString('latin1');
  }

  whole(): void {
    this.notes[this.notes.length - 1] += '.';
    if (this.#goesOn) this.reader.next();
  }
}

const MANY =
  'GET /1 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n\r\n' +
  'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello\r\nGET ' +
  'PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a="\\""\r\nabc\r\n0c\r\n0123456789\r\n\r\n0\r\nT: x\r\n\r\n' +
  'GET /4 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n';

test('wherever the bytes are cut on their way, the same requests come out', () => {
  const bytes = Buffer.from(MANY);
  const whole = new Notes();
  whole.reader.push(bytes);
  assert.deepEqual(whole.notes, [
    'GET /1 X|y ',
    'POST /2 Content-Length|11 hello\r\nGET .',
    'PUT /3  abc0123456789\r\n.',
    'GET /4 X|y ',
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (places) => {
      const at = [0, ...places.sort((a, b) => a - b), bytes.length];
      const cut = new Notes();
      for (let i = 1; i < at.length; i++) cut.reader.push(Buffer.from(bytes.subarray(at[i - 1], at[i])));
      assert.deepEqual(cut.notes, whole.notes);
      assert.equal(cut.reader.state, 'between');
    }),
  );
});

test('one request at a time: what follows waits, and is held once', () => {
  const notes = new Notes(false);
  notes.reader.push(Buffer.from(MANY));
  assert.equal(notes.notes.length, 1);
  assert.equal(notes.reader.state, 'held');
  assert.equal(notes.reader.heldBytes, MANY.length - MANY.indexOf('\r\nPOST'));
  notes.reader.push(Buffer.from('more'));
  notes.reader.next();
  assert.equal(notes.notes.length, 2);
  notes.reader.next();
  notes.reader.next();
  assert.equal(notes.notes.length, 4);
  notes.reader.next();
  assert.equal(notes.reader.state, 'head');
});

test('what is left of something large is copied, so that it keeps nothing else alive', () => {
  const notes = new Notes(false);
  const large = Buffer.alloc(100_000, 'x');
  large.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99000\r\n\r\n');
  notes.reader.push(large);
  assert.ok(notes.reader.heldBytes < 1_000 && notes.reader.heldBytes > 0);
});

test('nonsense is told as soon as it can be known, without waiting for a head’s end', () => {
  for (const text of [
    '\x16\x03\x01',
    'GET / HTTP/1.1\n',
    'GET / HTTP/1.1\rX',
    'G\0',
    '\r\r',
    'GET / HTTP/1.1\r\nA: \x01',
  ]) {
    const notes = new Notes();
    assert.throws(
      () => notes.reader.push(Buffer.from(text, 'latin1')),
      { code: 'bad-request' },
      JSON.stringify(text),
    );
  }
});

test('the same fields are read once, and others are not taken for them', () => {
  const notes = new Notes(false);
  const fields: unknown[] = [];
  const reader = new RequestReader(
    { head: (head) => (fields.push(head.fields), 'http'), data: () => undefined, whole: () => undefined },
    LIMITS,
  );
  for (const x of ['a', 'a', 'b', 'a']) {
    reader.push(Buffer.from(`GET /${fields.length} HTTP/1.1\r\nHost: a\r\nX: ${x}\r\n\r\n`));
    reader.next();
  }
  assert.equal(fields[0], fields[1]);
  assert.notEqual(fields[1], fields[2]);
  assert.notEqual(fields[2], fields[3]);
  assert.equal(notes.notes.length, 0);
});
