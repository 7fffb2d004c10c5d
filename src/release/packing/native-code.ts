import type { Platform } from '../../base/platform.ts';

/** What a binary is for; `libc` null where it does not tell, or needs none. */
export type BinaryPlatform = Platform;

/** ELF: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const ELF_MACHINES: Readonly<Record<number, string>> = {
  0x03: 'ia32',
  0x15: 'ppc64',
  0x16: 's390x',
  0x28: 'arm',
  0x3e: 'x64',
  0xb7: 'arm64',
  0xf3: 'riscv64',
  0x102: 'loong64',
};
/** Mach-O: `cputype` in <mach/machine.h>. */
const MACH_MACHINES: Readonly<Record<number, string>> = {
  0x01000007: 'x64',
  0x0100000c: 'arm64',
  0x07: 'ia32',
};
/** PE: https://learn.microsoft.com/windows/win32/debug/pe-format#machine-types */
const PE_MACHINES: Readonly<Record<number, string>> = { 0x8664: 'x64', 0xaa64: 'arm64', 0x014c: 'ia32' };

/**
 * What native code a file holds, by its header; empty where it is none. A universal Mach-O is for several.
 * @param bytes the file, or its beginning (64 bytes tell everything but the C library).
 */
export function nativeCodeIn(bytes: Buffer): BinaryPlatform[] {
  if (bytes.length < 20) return [];
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x7f454c46) return elf(bytes);
  if (magic === 0xcffaedfe || magic === 0xcefaedfe) return mach(bytes.readUInt32LE(4));
  if (magic === 0xcafebabe) return universal(bytes);
  if (bytes.readUInt16BE(0) === 0x4d5a) return pe(bytes);
  return [];
}

function elf(bytes: Buffer): BinaryPlatform[] {
  const little = bytes[5] === 1;
  const machine = little ? bytes.readUInt16LE(18) : bytes.readUInt16BE(18);
  const arch = ELF_MACHINES[machine] ?? `machine-${machine}`;
  // 9 is FreeBSD; Linux is written as 3 or, mostly, as nothing in particular.
  const os = bytes[7] === 9 ? 'freebsd' : 'linux';
  return [{ os, arch, libc: os === 'linux' ? libcOf(bytes) : null }];
}

/** By the names of the libraries that it asks the loader for. */
function libcOf(bytes: Buffer): string | null {
  if (bytes.includes('libc.musl-') || bytes.includes('ld-musl-')) return 'musl';
  return bytes.includes('libc.so.6') || bytes.includes('ld-linux') ? 'glibc' : null;
}

function mach(cpu: number): BinaryPlatform[] {
  return [{ os: 'darwin', arch: MACH_MACHINES[cpu] ?? `machine-${cpu}`, libc: null }];
}

/** Java's class files begin with the same four bytes; their version, which follows, is larger than any count of parts. */
function universal(bytes: Buffer): BinaryPlatform[] {
  const parts = bytes.readUInt32BE(4);
  if (parts === 0 || parts > 20 || bytes.length < 8 + parts * 20) return [];
  return Array.from({ length: parts }, (_, i) => mach(bytes.readUInt32BE(8 + i * 20))).flat();
}

function pe(bytes: Buffer): BinaryPlatform[] {
  if (bytes.length < 64) return [];
  const at = bytes.readUInt32LE(0x3c);
  if (at + 6 > bytes.length || bytes.readUInt32BE(at) !== 0x50450000) return [];
  const machine = bytes.readUInt16LE(at + 4);
  return [{ os: 'win32', arch: PE_MACHINES[machine] ?? `machine-${machine}`, libc: null }];
}

/** Whether code for `binary` runs on `platform`. */
export function fits(binary: BinaryPlatform, platform: Platform): boolean {
  return (
    binary.os === platform.os &&
    binary.arch === platform.arch &&
    (binary.libc === null || platform.libc === null || binary.libc === platform.libc)
  );
}
