import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { FulcrumError } from '../base/errors.ts';
import { blobTar, blobTarBytes } from './packing/blob-tar.ts';
import { takeBlobs } from './take-blobs.ts';
import { FolderBlobs, folder } from './testing/folders.ts';
import { sha256 } from './testing/release.ts';

const RUNS = process.env['FULCRUM_FULL'] === '1' ? 1_000 : 100;

interface Header {
  readonly name?: string;
  readonly type?: string;
  /** Octal digits as they are written, or bytes. */
  readonly size?: string | Buffer;
  readonly link?: string;
  readonly magic?: string;
  readonly prefix?: string;
  readonly damaged?: boolean;
}

/** An entry as whoever means harm could write it. */
function entry(content: string | Buffer, header: Header = {}): Buffer {
  const bytes = Buffer.from(content);
  const block = Buffer.alloc(512);
  block.write(header.name ?? sha256(bytes), 0, 'latin1');
  block.write('0000644\0', 100, 'latin1');
  const size = header.size ?? bytes.length.toString(8).padStart(11, '0');
  if (typeof size === 'string') block.write(size, 124, 'latin1');
  else size.copy(block, 124);
  block.write(header.type ?? '0', 156, 'latin1');
  block.write(header.link ?? '', 157, 'latin1');
  block.write(header.magic ?? 'ustar\u000000', 257, 'latin1');
  block.write(header.prefix ?? '', 345, 'latin1');
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0) + (header.damaged === true ? 1 : 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const END = Buffer.alloc(1_024);
const archive = (...entries: readonly Buffer[]): Buffer => Buffer.concat([...entries, END]);

/** In pieces of `size` bytes. */
async function* pieces(bytes: Buffer, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gathered(pieces: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

const GOOD = entry('good');
const BIG = Buffer.alloc(200_000, 'x');

/** Each comes behind one entry that is right, which must be kept. */
const HOSTILE: readonly (readonly [string, Buffer, RegExp])[] = [
  [
    'a symbolic link',
    archive(GOOD, entry('', { type: '2', link: '/etc/passwd' })),
    /Entry 2 .* is a symbolic link/,
  ],
  ['a hard link', archive(GOOD, entry('', { type: '1', link: sha256('good') })), /is a hard link/],
  ['a character device', archive(GOOD, entry('', { type: '3' })), /is a device/],
  ['a block device', archive(GOOD, entry('', { type: '4' })), /is a device/],
  ['a folder', archive(GOOD, entry('', { type: '5' })), /is a folder/],
  ['a named pipe', archive(GOOD, entry('', { type: '6' })), /is a named pipe/],
  ['a contiguous file', archive(GOOD, entry('x', { type: '7' })), /is a contiguous file/],
  [
    'an extended header',
    archive(GOOD, entry('24 path=../../etc/passwd\n', { type: 'x' }), entry('x')),
    /is an extended header/,
  ],
  [
    'a global extended header',
    archive(GOOD, entry('11 size=999\n', { type: 'g' }), entry('x')),
    /is an extended header/,
  ],
  ['a long name', archive(GOOD, entry('../'.repeat(100), { type: 'L' }), entry('x')), /is a long name/],
  [
    'a long name of a link',
    archive(GOOD, entry('../'.repeat(100), { type: 'K' }), entry('x')),
    /is a long name of a link/,
  ],
  ['a sparse file', archive(GOOD, entry('x', { type: 'S' })), /is a sparse file/],
  ['an unknown type', archive(GOOD, entry('x', { type: 'Z' })), /is of an unknown type/],
  ['the way up', archive(GOOD, entry('x', { name: '../../etc/passwd' })), /is not named by a SHA-256/],
  ['an absolute name', archive(GOOD, entry('x', { name: '/etc/passwd' })), /is not named by a SHA-256/],
  [
    'a digest behind a folder',
    archive(GOOD, entry('x', { name: `a/${sha256('x')}` })),
    /is not named by a SHA-256/,
  ],
  ['a digest with a prefix', archive(GOOD, entry('x', { prefix: '../..' })), /is not named by a SHA-256/],
  [
    'a digest with more behind a NUL',
    archive(GOOD, entry('x', { name: `${sha256('x')}\0/../x` })),
    /is not named by a SHA-256/,
  ],
  [
    'a digest in capitals',
    archive(GOOD, entry('x', { name: sha256('x').toUpperCase() })),
    /is not named by a SHA-256/,
  ],
  ['a digest too short', archive(GOOD, entry('x', { name: 'abc' })), /is not named by a SHA-256/],
  ['no name', archive(GOOD, entry('x', { name: '' })), /is not named by a SHA-256/],
  [
    'another content than its digest',
    archive(GOOD, entry('x', { name: sha256('y') })),
    /is not what it says/,
  ],
  [
    'a larger content of another digest',
    archive(GOOD, entry(BIG, { name: sha256('y') })),
    /is not what it says/,
  ],
  [
    'a size in base 256',
    archive(GOOD, entry('x', { size: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) })),
    /has no valid size/,
  ],
  ['a negative size', archive(GOOD, entry('x', { size: '-0000000001' })), /has no valid size/],
  ['a size that is no number', archive(GOOD, entry('x', { size: 'zzzzzzzzzzz' })), /has no valid size/],
  ['no size', archive(GOOD, entry('x', { size: Buffer.alloc(12) })), /has no valid size/],
  [
    'a size too small',
    archive(GOOD, entry('x'.repeat(2_000), { size: '00000000001' })),
    /not what it says|damaged header/,
  ],
  [
    'a size too large',
    archive(GOOD, entry('x', { size: '00000003000' })),
    /ends in the middle of entry 3|not what it says/,
  ],
  ['a size of gigabytes', archive(GOOD, entry('x', { size: '77777777777' })), /holds more than/],
  ['a damaged header', archive(GOOD, entry('x', { damaged: true })), /has a damaged header/],
  ['the older format of GNU', archive(GOOD, entry('x', { magic: 'ustar  \0' })), /not in the POSIX format/],
  ['no format', archive(GOOD, entry('x', { magic: '' })), /not in the POSIX format/],
  ['no end', Buffer.concat([GOOD]), /ends in the middle of entry 2/],
  ['half a header', Buffer.concat([GOOD, entry('x').subarray(0, 300)]), /ends in the middle of entry 2/],
  [
    'a cut in a small file',
    Buffer.concat([GOOD, entry('x'.repeat(600)).subarray(0, 900)]),
    /ends in the middle of entry 2/,
  ],
  [
    'a cut in a large file',
    Buffer.concat([GOOD, entry(BIG).subarray(0, 150_000)]),
    /ends in the middle of entry 2/,
  ],
  ['something behind its end', Buffer.concat([archive(GOOD), Buffer.from('more')]), /follows the end/],
  ['an entry behind its end', Buffer.concat([archive(GOOD), entry('x')]), /follows the end/],
  ['padding without an end', Buffer.concat([archive(GOOD), Buffer.alloc(70_000)]), /follows the end/],
];

async function refusal(promise: Promise<unknown>): Promise<FulcrumError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof FulcrumError, String(error));
  return error;
}

void suite('takeBlobs', () => {
  void test('keeps what an archive holds, empty, small and large, however it is cut into pieces', async (t) => {
    const contents = ['', 'small', 'x'.repeat(512), 'y'.repeat(513), BIG];
    for (const size of [1_000_000, 1_024, 700, 511, 1]) {
      const blobs = new FolderBlobs(folder(t));
      const bytes = archive(...contents.slice(0, size === 1 ? 4 : 5).map((content) => entry(content)));
      const { stored } = await takeBlobs(pieces(bytes, size), blobs);
      assert.equal(stored, size === 1 ? 4 : 5);
      assert.deepEqual(
        blobs.puts.toSorted(),
        contents
          .slice(0, stored)
          .map((content) => sha256(content))
          .toSorted(),
      );
    }
  });

  void test('an empty archive holds nothing', async (t) => {
    assert.deepEqual(await takeBlobs(pieces(END), new FolderBlobs(folder(t))), { stored: 0 });
  });

  for (const [name, bytes, expected] of HOSTILE) {
    void test(`refuses ${name}, and keeps what came before`, async (t) => {
      const blobs = new FolderBlobs(folder(t));
      const error = await refusal(takeBlobs(pieces(bytes), blobs));
      assert.equal(error.code, 'blob-invalid');
      assert.match(error.message, expected);
      assert.deepEqual(blobs.puts, [sha256('good')]);
    });
  }

  void test('a cut in the padding is one as well, though the file before it is whole', async (t) => {
    const blobs = new FolderBlobs(folder(t));
    await refusal(takeBlobs(pieces(entry('x').subarray(0, 600)), blobs));
    assert.deepEqual(blobs.puts, [sha256('x')]);
  });

  void test('a compressed archive is told as one', async (t) => {
    const error = await refusal(takeBlobs(pieces(gzipSync(archive(GOOD))), new FolderBlobs(folder(t))));
    assert.match(error.message, /compressed/);
  });

  void test('limits hold for files and bytes', async (t) => {
    const blobs = new FolderBlobs(folder(t));
    const many = archive(entry('1'), entry('2'), entry('3'));
    const error = await refusal(takeBlobs(pieces(many), blobs, { files: 2, totalBytes: 1_000 }));
    assert.match(error.message, /more than 2 files/);
    assert.equal(blobs.puts.length, 2);
    await refusal(takeBlobs(pieces(archive(entry(BIG))), blobs, { files: 2, totalBytes: 1_000 }));
  });

  void test('what a store does not read is passed over', async () => {
    const put: string[] = [];
    const bytes = archive(entry(BIG), entry('small'), entry(Buffer.alloc(100_000, 'z')));
    const { stored } = await takeBlobs(pieces(bytes), {
      put: async (digest, _size, content) => {
        // One piece, and no more.
        for await (const _ of content) break;
        put.push(digest);
      },
    });
    assert.equal(stored, 3);
    assert.equal(put.length, 3);
  });

  void test('a full disk is told as such, and nothing is left waiting', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    for (const content of ['small', BIG]) {
      const blobs = { put: () => Promise.reject(full) };
      const error = await refusal(takeBlobs(pieces(archive(entry(content), entry('2'))), blobs));
      assert.equal(error.code, 'store-failed');
      assert.match(error.message, /The disk is full/);
    }
  });

  void test('a store that fails is not asked for everything that follows', async () => {
    let asked = 0;
    const blobs = {
      put: () => {
        asked += 1;
        return Promise.reject(new FulcrumError('store-failed', 'The store is gone.'));
      },
    };
    const many = archive(...Array.from({ length: 200 }, (_, i) => entry(String(i))));
    assert.equal((await refusal(takeBlobs(pieces(many), blobs))).message, 'The store is gone.');
    assert.ok(asked < 20, String(asked));
  });

  void test('a stream that breaks off keeps what came whole', async (t) => {
    const blobs = new FolderBlobs(folder(t));
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield archive(GOOD, entry(BIG)).subarray(0, 5_000);
      throw new FulcrumError('client-gone', 'The client went away.');
    };
    assert.equal((await refusal(takeBlobs(broken(), blobs))).code, 'client-gone');
    assert.deepEqual(blobs.puts, [sha256('good')]);
  });

  void test('what the client packs is taken, and tar can read it', async (t) => {
    const directory = folder(t);
    const contents = ['', 'a', BIG, 'x'.repeat(512)];
    const sources = contents.map((content, i) => {
      const source = join(directory, `f${i}`);
      writeFileSync(source, content);
      return [sha256(content), { path: `f${i}`, source, sizeBytes: Buffer.byteLength(content) }] as const;
    });
    const bytes = Buffer.concat(await gathered(blobTar(sources)));
    assert.equal(bytes.length, blobTarBytes(sources.map(([, { sizeBytes }]) => sizeBytes)));
    const blobs = new FolderBlobs(join(directory, 'blobs'));
    assert.equal((await takeBlobs(pieces(bytes), blobs)).stored, 4);
    mkdirSync(join(directory, 'out'));
    execFileSync('tar', ['-xf', '-', '-C', join(directory, 'out')], { input: bytes });
    const listed = execFileSync('ls', [join(directory, 'out')], { encoding: 'utf8' })
      .trim()
      .split('\n');
    assert.deepEqual(listed.toSorted(), contents.map((content) => sha256(content)).toSorted());
  });

  for (const [name, change] of [
    ['longer', 'a and more'],
    ['shorter', ''],
    ['another', 'b'],
  ] as const) {
    void test(`a file that has become ${name} is not sent as what it was`, async (t) => {
      const source = join(folder(t), 'f');
      writeFileSync(source, change);
      const packing = gathered(blobTar([[sha256('a'), { path: 'src/f', source, sizeBytes: 1 }]]));
      const error = await refusal(packing);
      assert.equal(error.code, 'package-failed');
      assert.match(error.message, /src\/f has changed while it was uploaded/);
    });
  }

  void test('no bytes whatever do more than be refused', async (t) => {
    const blobs = new FolderBlobs(folder(t));
    const valid = archive(GOOD, entry('two'), entry('three'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(valid.length),
        async (changes, length) => {
          const bytes = Buffer.from(valid);
          for (const [at, value] of changes) bytes[at] = value;
          try {
            await takeBlobs(pieces(bytes.subarray(0, length)), blobs);
          } catch (error) {
            assert.ok(error instanceof FulcrumError, String(error));
          }
        },
      ),
      { numRuns: RUNS },
    );
    // Only what is what it says is ever kept.
    for (const digest of blobs.puts) assert.match(digest, /^[0-9a-f]{64}$/);
  });
});
