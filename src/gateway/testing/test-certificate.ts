import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface TestCertificate {
  readonly certPath: string;
  readonly keyPath: string;
  /** PEM: what a client that is to believe it is given as its authority. */
  readonly cert: string;
  readonly key: string;
}

export interface TestCertificateOptions {
  /** DNS names; the first is its common name, too. */
  readonly names: readonly string[];
  /** From now; below zero: it has expired. */
  readonly validForMs?: number;
  readonly validFromMs?: number;
  /** Leaves the names out, but for the common one. */
  readonly withoutNames?: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/** A certificate that has signed itself, made here, so that no test needs a program for it. Not to be trusted with anything. */
export function makeCertificate(options: TestCertificateOptions): { cert: string; key: string } {
  const { names, validForMs = 90 * DAY_MS, validFromMs = Date.now() - 365 * DAY_MS, withoutNames } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const name = sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(names[0]!)))));
  const alternatives = sequence(...names.map((one) => tlv(0x82, Buffer.from(one))));
  const extensions = sequence(
    sequence(oid('551d13'), tlv(0x01, Buffer.of(0xff)), tlv(0x04, sequence(tlv(0x01, Buffer.of(0xff))))),
    ...(withoutNames === true ? [] : [sequence(oid('551d11'), tlv(0x04, alternatives))]),
  );
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(validFromMs), time(Date.now() + validForMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.of(0), signature])));
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/** The same as files in `directory`, named after its first name. */
export async function writeCertificate(
  directory: string,
  options: TestCertificateOptions,
): Promise<TestCertificate> {
  const made = makeCertificate(options);
  const name = options.names[0]!.replaceAll('*', '_');
  const certPath = join(directory, `${name}.cert.pem`);
  const keyPath = join(directory, `${name}.key.pem`);
  await Promise.all([writeFile(certPath, made.cert), writeFile(keyPath, made.key, { mode: 0o600 })]);
  return { certPath, keyPath, ...made };
}

/** One element of DER (X.690): a tag, the length, the content. */
function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const lengthBytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

/** GeneralizedTime, to the second. */
function time(ms: number): Buffer {
  return tlv(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`));
}
