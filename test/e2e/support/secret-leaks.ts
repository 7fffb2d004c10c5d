// Whether a secret got where it must not: into a file, an answer of the admin API, a log, the output of a command.
import { readdir, readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { brotliDecompressSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** The value of a secret that nothing else looks like, without a character that JSON, URLs or shells would write in another way. */
export function secretMarker(): string {
  return `leak${randomBytes(18).toString('hex')}marker`;
}

interface Needle {
  readonly form: string;
  readonly bytes: Buffer;
}

const MAX_UNPACKED_BYTES = 64 * 1024 ** 2;

/** Looks for one secret in all that it is shown, as it is and in the ways that programs write it. */
export class LeakSearch {
  readonly #needles: readonly Needle[];
  readonly #found: string[] = [];
  #lookedAt = 0;

  constructor(secret: string) {
    const bytes = Buffer.from(secret);
    this.#needles = [
      { form: 'plain', bytes },
      { form: 'reversed', bytes: Buffer.from([...bytes].reverse()) },
      { form: 'UTF-16', bytes: Buffer.from(secret, 'utf16le') },
      { form: 'hex', bytes: Buffer.from(bytes.toString('hex')) },
      { form: 'upper-case hex', bytes: Buffer.from(bytes.toString('hex').toUpperCase()) },
      // Where it begins within three bytes decides how base64 writes it; what its neighbours have a part in is left out.
      ...[0, 1, 2].flatMap((before) => {
        const padded = Buffer.concat([Buffer.alloc(before), bytes]);
        const [from, to] = [before === 0 ? 0 : 4, Math.floor(padded.length / 3) * 4];
        return (['base64', 'base64url'] as const).map((form) => ({
          form,
          bytes: Buffer.from(padded.toString(form).slice(from, to)),
        }));
      }),
    ];
  }

  /** Where it was found, and in which form. */
  get found(): readonly string[] {
    return this.#found;
  }

  /** How many files and texts were looked at: that nothing was found in nothing says nothing. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  /** @param where what it is, for people. */
  text(where: string, text: string): void {
    this.bytes(where, Buffer.from(text));
  }

  bytes(where: string, bytes: Buffer): void {
    this.#lookedAt += 1;
    this.#look(where, bytes);
    for (const { form, unpacked } of unpackedOf(bytes)) this.#look(`${where}, ${form}`, unpacked);
  }

  /** Every file below `folder`, their names, and what links lead to. */
  async folder(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      this.text(`the name ${path}`, path);
      if (!entry.isFile()) continue;
      try {
        this.bytes(path, await readFile(path));
      } catch (error) {
        // A journal of a database may go while we look.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /**
   * Every answer of the admin API that can be asked for by GET, and its document's list says which there are.
   * @param get asks for a path (`/v1/apps`), and gives the body whatever the status.
   */
  async api(get: (path: string) => Promise<string>): Promise<void> {
    const document = JSON.parse(await this.#ask(get, '/v1/openapi.json')) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const apps = JSON.parse(await get('/v1/apps')) as { id: string }[];
    for (const path of Object.keys(document.paths).filter((each) => 'get' in document.paths[each]!)) {
      // It goes on for as long as it is read, and begins with what the logs are.
      if (path.endsWith('/logs/follow')) continue;
      if (!path.includes('{app}')) await this.#ask(get, path);
      else for (const { id } of apps) await this.#ofApp(get, path.replace('{app}', encodeURIComponent(id)));
    }
  }

  async #ofApp(get: (path: string) => Promise<string>, path: string): Promise<void> {
    const [app] = /^\/v1\/apps\/[^/]+/.exec(path)!;
    if (path.endsWith('/logs')) return void (await this.#ask(get, `${path}?limit=10000`));
    const numbers = async (): Promise<number[]> => {
      const releases = JSON.parse(await get(`${app}/releases`)) as { number: number }[] | object;
      return Array.isArray(releases) ? (releases as { number: number }[]).map(({ number }) => number) : [];
    };
    if (path.endsWith('/diff')) {
      const all = await numbers();
      for (const to of all) await this.#ask(get, `${path}?from=${all.at(-1)}&to=${to}`);
      return;
    }
    if (path.includes('{number}')) {
      for (const number of await numbers()) await this.#ask(get, path.replace('{number}', String(number)));
      return;
    }
    if (path.includes('{component}')) {
      const components = JSON.parse(await get(`${app}/components`)) as { name: string }[] | object;
      for (const { name } of Array.isArray(components) ? (components as { name: string }[]) : []) {
        await this.#ask(get, path.replace('{component}', encodeURIComponent(name)));
      }
      return;
    }
    if (path.includes('{id}')) {
      const { events = [] } = JSON.parse(await get(`${app}/events`)) as { events?: { id: string }[] };
      // One that there is not, too: its refusal is an answer like others.
      for (const id of [...events.map((event) => event.id), 'e_none'])
        await this.#ask(get, path.replace('{id}', id));
      return;
    }
    if (path.includes('{'))
      throw new Error(`Nobody knows what to put into ${path}: teach it to secret-leaks.ts.`);
    await this.#ask(get, path);
  }

  async #ask(get: (path: string) => Promise<string>, path: string): Promise<string> {
    const text = await get(path);
    this.text(`GET ${path}`, text);
    return text;
  }

  #look(where: string, bytes: Buffer): void {
    for (const { form, bytes: needle } of this.#needles) {
      if (bytes.includes(needle)) this.#found.push(`${where} (${form})`);
    }
  }
}

const GZIP_HEAD_BYTES = 10;
const LIMIT = { maxOutputLength: MAX_UNPACKED_BYTES };

const PACKED: readonly [string, Buffer, (bytes: Buffer) => Buffer][] = [
  // Without its head (which rarely has more than it must), for a gunzip takes what follows the end amiss.
  [
    'gzip',
    Buffer.from([0x1f, 0x8b, 8]),
    (bytes) => inflateRawSync(bytes.subarray(GZIP_HEAD_BYTES + nameBytes(bytes)), LIMIT),
  ],
  ['zlib', Buffer.from([0x78, 0x9c]), (bytes) => inflateSync(bytes, LIMIT)],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), (bytes) => zstdDecompressSync(bytes, LIMIT)],
];

/** Of the file's name in a gzip's head, which command line tools put there (RFC 1952, FNAME). */
function nameBytes(bytes: Buffer): number {
  return bytes[3] === 8 ? bytes.indexOf(0, GZIP_HEAD_BYTES) + 1 - GZIP_HEAD_BYTES : 0;
}

/** What lies packed in `bytes`, from wherever something begins that can be unpacked: a database keeps it in the middle of its pages. */
function* unpackedOf(bytes: Buffer): Generator<{ form: string; unpacked: Buffer }> {
  for (const [form, magic, unpack] of PACKED) {
    for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) {
      try {
        yield { form: `${form} at ${at}`, unpacked: unpack(bytes.subarray(at)) };
      } catch {
        // It only looked like it.
      }
    }
  }
  // Brotli begins like anything; a file is all of it or none.
  try {
    yield { form: 'brotli', unpacked: brotliDecompressSync(bytes, LIMIT) };
  } catch {
    // It is none.
  }
}
