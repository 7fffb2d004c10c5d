import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { makeCertificate, writeCertificate } from '../testing/test-certificate.ts';
import { Certificates, validityWarning } from './certificates.ts';
import type { CertificateFiles } from './certificate.ts';

const LOOK_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

async function scene(
  t: TestContext,
  files: (directory: string) => Promise<CertificateFiles[]>,
): Promise<{
  certificates: Certificates;
  clock: FakeClock;
  directory: string;
  lines: Line[];
  changes: () => number;
  logged: () => Promise<void>;
}> {
  const directory = await mkdtemp(join(tmpdir(), 'certificates-'));
  const clock = new FakeClock(Date.now());
  const lines: Line[] = [];
  let waiters: (() => void)[] = [];
  const log =
    (level: Line['level']) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields: fields as Record<string, unknown>, message });
      for (const wake of waiters.splice(0)) wake();
    };
  const logger = { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') };
  let changed = 0;
  const certificates = await Certificates.load(await files(directory), {
    clock,
    logger,
    changed: () => void changed++,
  });
  t.after(async () => {
    certificates.close();
    await rm(directory, { recursive: true });
  });
  const logged = (): Promise<void> => new Promise((resolve) => void waiters.push(resolve));
  return { certificates, clock, directory, lines, changes: () => changed, logged };
}

async function one(directory: string, name: string): Promise<CertificateFiles> {
  const { certPath, keyPath } = await writeCertificate(directory, { names: [name] });
  return { certPath, keyPath, hosts: null };
}

test('each name is shown its own, and who names none the first', async (t) => {
  const { certificates } = await scene(t, async (directory) => [
    await one(directory, 'a.test'),
    await one(directory, '*.b.test'),
  ]);
  assert.deepEqual(certificates.first.names, ['a.test']);
  assert.deepEqual(certificates.for('x.b.test').names, ['*.b.test']);
  assert.deepEqual(certificates.for('c.test').names, ['a.test']);
});

test('files that have changed are loaded again by the clock, once they stand still', async (t) => {
  const { certificates, clock, directory, changes, logged } = await scene(t, async (folder) => [
    await one(folder, 'a.test'),
  ]);
  const before = certificates.first;
  await certificates.look();
  assert.equal(changes(), 0);
  await one(directory, 'a.test');
  await certificates.look();
  assert.equal(certificates.first, before, 'at the first look they may still be being written');
  const loaded = logged();
  await clock.advance(LOOK_MS);
  await loaded;
  assert.notEqual(certificates.first, before);
  assert.equal(changes(), 1);
  await certificates.look();
  await certificates.look();
  assert.equal(changes(), 1);
});

test('a link that is turned to another folder is a change', async (t) => {
  const { certificates, directory } = await scene(t, async (folder) => {
    for (const name of ['old', 'new']) await mkdir(join(folder, name));
    const { certPath, keyPath } = await writeCertificate(join(folder, 'old'), { names: ['a.test'] });
    const made = makeCertificate({ names: ['a.test', 'b.test'] });
    await writeFile(certPath.replace('/old/', '/new/'), made.cert);
    await writeFile(keyPath.replace('/old/', '/new/'), made.key);
    await symlink('old', join(folder, 'live'));
    const live = (path: string): string => path.replace('/old/', '/live/');
    return [{ certPath: live(certPath), keyPath: live(keyPath), hosts: null }];
  });
  await symlink('new', join(directory, 'next'));
  await rename(join(directory, 'next'), join(directory, 'live'));
  await certificates.look();
  await certificates.look();
  assert.deepEqual(certificates.first.names, ['a.test', 'b.test']);
});

test('one that cannot be used leaves the old one in place and is logged once; a good one after it is taken', async (t) => {
  const { certificates, directory, lines, changes } = await scene(t, async (folder) => [
    await one(folder, 'a.test'),
    await one(folder, 'b.test'),
  ]);
  const before = certificates.for('b.test');
  const path = join(directory, 'b.test.cert.pem');
  await writeFile(path, 'broken');
  for (let i = 0; i < 4; i++) await certificates.look();
  assert.equal(certificates.for('b.test'), before);
  assert.equal(changes(), 0);
  const errors = lines.filter(({ level }) => level === 'error');
  assert.equal(errors.length, 1);
  assert.deepEqual(errors[0]!.fields, { code: 'certificate-invalid', certificate: path });
  assert.match(errors[0]!.message, /b\.test\.cert\.pem holds no certificate in PEM.* stays in use\./);
  await writeFile(path, before.cert);
  await certificates.reload();
  assert.notEqual(certificates.for('b.test'), before);
  assert.equal(changes(), 1);
});

test('none is a mistake of whoever set it up, told before anything listens', async () => {
  const options = { clock: new FakeClock(), logger: silent, changed: () => undefined };
  await assert.rejects(Certificates.load([], options), /at least one certificate/);
  const missing = { certPath: '/nowhere/c.pem', keyPath: '/nowhere/k.pem', hosts: null };
  await assert.rejects(Certificates.load([missing], options), /\/nowhere\/.\.pem cannot be read/);
});

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const NOW_MS = Date.UTC(2026, 5, 15);
const TIMES: [number, number, RegExp | null][] = [
  [-DAY_MS, 60 * DAY_MS, null],
  [-DAY_MS, 13 * DAY_MS, /^expires on 2026-06-28\.$/],
  [-90 * DAY_MS, -DAY_MS, /^has expired on 2026-06-14: clients will refuse it\.$/],
  [DAY_MS, 90 * DAY_MS, /^is not valid before 2026-06-16: clients will refuse it\.$/],
];
for (const [from, to, expected] of TIMES) {
  test(`valid from ${from / DAY_MS} to ${to / DAY_MS} days from now: ${expected}`, () => {
    const warning = validityWarning({ validFromMs: NOW_MS + from, validToMs: NOW_MS + to }, NOW_MS);
    if (expected === null) assert.equal(warning, null);
    else assert.match(warning!, expected);
  });
}

test('an expired one is used, and warned of once a day', async (t) => {
  const { certificates, clock, lines } = await scene(t, async (folder) => {
    const { certPath, keyPath } = await writeCertificate(folder, { names: ['a.test'], validForMs: -DAY_MS });
    return [{ certPath, keyPath, hosts: null }];
  });
  const warnings = (): number =>
    lines.filter(({ message }) => /a\.test\.cert\.pem has expired/.test(message)).length;
  assert.equal(warnings(), 1);
  await certificates.look();
  assert.equal(warnings(), 1);
  await clock.advance(DAY_MS);
  await certificates.look();
  assert.equal(warnings(), 2);
});
