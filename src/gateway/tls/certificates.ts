import { stat } from 'node:fs/promises';
import type { Clock, Timer } from '../../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { loadCertificate } from './certificate.ts';
import { NameTable } from './name-table.ts';
import type { Certificate, CertificateFiles } from './certificate.ts';

export interface CertificatesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after some have changed. */
  readonly changed: () => void;
}

interface Entry {
  readonly files: CertificateFiles;
  certificate: Certificate;
  /** What its files were when it was loaded. */
  loaded: string;
  /** What they were at the last look. */
  seen: string;
}

/** Files are looked at so often. Looked at, not watched: that holds for links that are turned, mounts and network disks alike. */
const LOOK_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
const SOON_MS = 14 * DAY_MS;

/** The certificates of a listener, by host name; loaded again as their files change. One that cannot be used leaves the old one in place. */
export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #entries: Entry[];
  readonly #timer: Timer;
  #table: NameTable<Certificate>;
  #looking: Promise<void> | null = null;
  #warnedMs = Number.NEGATIVE_INFINITY;

  /** Rejects with `certificate-invalid` where one cannot be used, and with `config-invalid` where there is none. */
  static async load(files: readonly CertificateFiles[], options: CertificatesOptions): Promise<Certificates> {
    if (files.length === 0) throw new FulcrumError('config-invalid', 'TLS needs at least one certificate.');
    const entries = await Promise.all(
      files.map(async (one): Promise<Entry> => {
        // Before it is read: what changes meanwhile is seen at the next look.
        const loaded = await signatureOf(one);
        return { files: one, certificate: await loadCertificate(one), loaded, seen: loaded };
      }),
    );
    return new Certificates(entries, options);
  }

  private constructor(entries: Entry[], options: CertificatesOptions) {
    this.#options = options;
    this.#entries = entries;
    this.#table = tableOf(entries);
    this.#timer = options.clock.every(LOOK_MS, () => void this.look());
    this.#warn();
  }

  /** For clients that name no host. */
  get first(): Certificate {
    return this.#table.first;
  }

  /** @param name the host that the client names. */
  for(name: string): Certificate {
    return this.#table.find(name);
  }

  /** Loads all of them again now. Those that cannot be used stay as they were, and are logged. Never rejects. */
  async reload(): Promise<void> {
    await this.#looking;
    await this.#reload(this.#entries);
  }

  /** Looks whether files have changed, and loads those that have and now stand still. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtFiles().finally(() => void (this.#looking = null));
    return this.#looking;
  }

  close(): void {
    this.#timer.cancel();
  }

  async #lookAtFiles(): Promise<void> {
    const changed: Entry[] = [];
    for (const entry of this.#entries) {
      const now = await signatureOf(entry.files);
      // Only once it stands still: a certificate and its key are written one after the other.
      if (now !== entry.loaded && now === entry.seen) changed.push(entry);
      entry.seen = now;
    }
    if (changed.length > 0) await this.#reload(changed);
    this.#warn();
  }

  async #reload(entries: readonly Entry[]): Promise<void> {
    const { logger, changed } = this.#options;
    let any = false;
    for (const entry of entries) {
      const loaded = await signatureOf(entry.files);
      try {
        entry.certificate = await loadCertificate(entry.files);
        any = true;
        logger.info(
          { certificate: entry.files.certPath, hosts: entry.certificate.names },
          'a certificate was loaded',
        );
      } catch (error) {
        const { code, message } = asFulcrumError(error);
        logger.error(
          { code, certificate: entry.files.certPath },
          `${message} The certificate before it stays in use.`,
        );
      }
      entry.loaded = loaded;
      entry.seen = loaded;
    }
    if (!any) return;
    this.#table = tableOf(this.#entries);
    this.#warnedMs = Number.NEGATIVE_INFINITY;
    this.#warn();
    changed();
  }

  /** At most once a day, and after each load. */
  #warn(): void {
    const { clock, logger } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#warnedMs < DAY_MS) return;
    this.#warnedMs = nowMs;
    for (const { files, certificate } of this.#entries) {
      const wrong = validityWarning(certificate, nowMs);
      if (wrong !== null) logger.warn({ certificate: files.certPath }, `${files.certPath} ${wrong}`);
    }
  }
}

/** What is wrong with the time in which a certificate is valid; null where nothing is. */
export function validityWarning(
  { validFromMs, validToMs }: Pick<Certificate, 'validFromMs' | 'validToMs'>,
  nowMs: number,
): string | null {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  if (nowMs > validToMs) return `has expired on ${day(validToMs)}: clients will refuse it.`;
  if (nowMs < validFromMs) return `is not valid before ${day(validFromMs)}: clients will refuse it.`;
  if (validToMs - nowMs < SOON_MS) return `expires on ${day(validToMs)}.`;
  return null;
}

function tableOf(entries: readonly Entry[]): NameTable<Certificate> {
  return new NameTable(entries.map(({ certificate }) => ({ names: certificate.names, value: certificate })));
}

/** Tells one state of the files from another, also where a link leads elsewhere. */
async function signatureOf({ certPath, keyPath }: CertificateFiles): Promise<string> {
  const parts = await Promise.all(
    [certPath, keyPath].map(async (path) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
        return `${dev}.${ino}.${size}.${mtimeNs}.${ctimeNs}`;
      } catch {
        return 'none';
      }
    }),
  );
  return parts.join(' ');
}
