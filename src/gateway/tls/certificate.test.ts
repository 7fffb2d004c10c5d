import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, test } from 'node:test';
import type { FulcrumError } from '../../base/errors.ts';
import { writeCertificate } from '../testing/test-certificate.ts';
import { loadCertificate } from './certificate.ts';
import { NameTable } from './name-table.ts';
import type { TestCertificate } from '../testing/test-certificate.ts';

let directory = '';
let good: TestCertificate;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'certificate-'));
  good = await writeCertificate(directory, { names: ['A.test', '*.b.test'] });
});
after(() => rm(directory, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

test('its names come from the certificate, in lower case, or from whoever gives them', async () => {
  const { certPath, keyPath } = good;
  const own = await loadCertificate({ certPath, keyPath, hosts: null });
  assert.deepEqual(own.names, ['a.test', '*.b.test']);
  assert.ok(own.validFromMs < Date.now() && own.validToMs > Date.now());
  const given = await loadCertificate({ certPath, keyPath, hosts: ['X.test'] });
  assert.deepEqual(given.names, ['x.test']);
});

test('one without DNS names is for its common name', async () => {
  const old = await writeCertificate(directory, { names: ['common.test'], withoutNames: true });
  const { names } = await loadCertificate({ certPath: old.certPath, keyPath: old.keyPath, hosts: null });
  assert.deepEqual(names, ['common.test']);
});

async function refusal(certPath: string, keyPath: string): Promise<FulcrumError> {
  try {
    await loadCertificate({ certPath, keyPath, hosts: null });
  } catch (error) {
    return error as FulcrumError;
  }
  throw new Error('It was taken.');
}

test('what cannot be used is refused with the file and the reason, and without what a key file holds', async () => {
  const other = await writeCertificate(directory, { names: ['other.test'] });
  const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });
  const half = good.key.slice(0, good.key.length / 2);
  const missing = join(directory, 'missing.pem');
  const cases: [string, string, RegExp][] = [
    [missing, good.keyPath, /missing\.pem cannot be read: .*ENOENT/],
    [good.certPath, missing, /missing\.pem cannot be read: .*ENOENT/],
    [await file('no.pem', 'nonsense'), good.keyPath, /no\.pem holds no certificate in PEM/],
    [good.keyPath, good.keyPath, /A\.test\.key\.pem holds no certificate in PEM/],
    [good.certPath, await file('half.pem', half), /half\.pem holds no private key in PEM/],
    [
      good.certPath,
      await file('locked.pem', locked),
      /locked\.pem holds no private key .* without a passphrase/,
    ],
    [
      good.certPath,
      other.keyPath,
      /other\.test\.key\.pem is not the key of the first certificate in .*A\.test/,
    ],
  ];
  for (const [certPath, keyPath, message] of cases) {
    const error = await refusal(certPath, keyPath);
    assert.equal(error.code, 'certificate-invalid');
    assert.match(error.message, message);
    assert.ok(!error.message.includes(half.split('\n')[1]!), 'nothing of the key');
  }
});

const TABLE = new NameTable([
  { names: ['first.test'], value: 'first' },
  { names: ['a.test', '*.a.test'], value: 'a' },
  { names: ['x.a.test', 'a.test'], value: 'x' },
]);
const NAMES: [string, string][] = [
  ['a.test', 'a'],
  ['A.TEST', 'a'],
  ['x.a.test', 'x'],
  ['y.a.test', 'a'],
  ['y.x.a.test', 'first'],
  ['.a.test', 'first'],
  ['test', 'first'],
  ['', 'first'],
];
for (const [name, value] of NAMES) {
  test(`the server name '${name}' is shown ${value}`, () => assert.equal(TABLE.find(name), value));
}
