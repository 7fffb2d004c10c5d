import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { FulcrumError, messageOf } from '../../base/errors.ts';

/** Where a certificate lies, and for which names it is shown. */
export interface CertificateFiles {
  /** PEM, the server's own first and its issuers' behind it. */
  readonly certPath: string;
  /** PEM, without a passphrase. */
  readonly keyPath: string;
  /** Exact names or `*.domain`; null: those that the certificate itself holds. */
  readonly hosts: readonly string[] | null;
}

export interface Certificate {
  /** Lower case. */
  readonly names: readonly string[];
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly context: SecureContext;
  /** What it was made of: the first of all is given to Node as text. */
  readonly cert: string;
  readonly key: string;
}

/**
 * What the server speaks: TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3 ("intermediate" of Mozilla's
 * recommendations, version 5.7, without its DHE suites).
 */
export const TLS_SETTINGS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** Rejects with `certificate-invalid`, which names the file and the reason. */
export async function loadCertificate(files: CertificateFiles): Promise<Certificate> {
  const { certPath, keyPath } = files;
  const [cert, key] = await Promise.all([read(certPath), read(keyPath)]);
  const leaf = parsed(certPath, 'holds no certificate in PEM', () => new X509Certificate(cert));
  const privateKey = parsed(keyPath, 'holds no private key in PEM without a passphrase', () =>
    createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw invalid(`${keyPath} is not the key of the first certificate in ${certPath}.`);
  }
  const names = (files.hosts ?? namesOf(leaf)).map((name) => name.toLowerCase());
  if (names.length === 0) throw invalid(`${certPath} holds no host name, and none was given for it.`);
  return {
    names,
    validFromMs: Date.parse(leaf.validFrom),
    validToMs: Date.parse(leaf.validTo),
    cert,
    key,
    context: parsed(certPath, 'cannot be used for TLS', () =>
      createSecureContext({ ...TLS_SETTINGS, cert, key }),
    ),
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOf(error)}.`, error);
  }
}

/** Never tells what the file holds: of a key nothing may come into a log. */
function parsed<T>(path: string, wrong: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw invalid(`${path} ${wrong}${typeof code === 'string' ? ` (${code})` : ''}.`);
  }
}

/** Its DNS names (RFC 6125: where it has those, the common name counts for nothing), else its common name. */
function namesOf(leaf: X509Certificate): string[] {
  const names = [...(leaf.subjectAltName ?? '').matchAll(/(?:^|, )DNS:("?)([^",]+)\1/g)].map(
    (match) => match[2]!,
  );
  if (names.length > 0) return names;
  const common = /(?:^|\n)CN=([^\n]+)/.exec(leaf.subject)?.[1];
  return common === undefined ? [] : [common];
}

function invalid(message: string, cause?: unknown): FulcrumError {
  return new FulcrumError('certificate-invalid', message, cause === undefined ? {} : { cause });
}
