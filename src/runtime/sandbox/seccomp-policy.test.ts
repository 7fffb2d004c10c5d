import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AUDIT_ARCH } from '../native/bpf.ts';
import { syscallNumber, SYSCALLS, type Arch, type SyscallName } from '../native/syscall-numbers.ts';
import { answerOf } from './testing/bpf-machine.ts';
import { seccompProgram, type SeccompSettings } from './seccomp-policy.ts';

const FUNCTION: SeccompSettings = { sharedIpc: false, internet: true };
const PROGRAM: SeccompSettings = { sharedIpc: true, internet: true };
const OFFLINE: SeccompSettings = { sharedIpc: false, internet: false };

/** What every Node does all the time. By number, for the table holds no more than what is used or refused. */
const ORDINARY: Readonly<Record<Arch, readonly number[]>> = {
  // read, write, close, mmap, madvise, epoll_wait, futex, openat, execve, exit_group
  x64: [0, 1, 3, 9, 28, 232, 202, 257, 59, 231],
  arm64: [63, 64, 57, 222, 233, 22, 98, 56, 221, 94],
};

for (const arch of ['x64', 'arm64'] as const) {
  const ask = (
    settings: SeccompSettings,
    call: SyscallName | number,
    args: readonly number[] = [],
  ): string => {
    const number = typeof call === 'number' ? call : syscallNumber(call, arch)!;
    return answerOf(seccompProgram(arch, settings), { number, arch: AUDIT_ARCH[arch], args });
  };

  describe(`the filter for ${arch}`, () => {
    test('lets ordinary calls through', () => {
      for (const number of ORDINARY[arch]) assert.equal(ask(FUNCTION, number), 'allow', String(number));
    });

    test('refuses by number exactly what it lists', () => {
      const refused = (Object.keys(SYSCALLS) as SyscallName[]).filter(
        (name) => syscallNumber(name, arch) !== null && ask(PROGRAM, name, [0, 0, 0]) === 'EPERM',
      );
      for (const name of [
        'ptrace',
        'mount',
        'bpf',
        'keyctl',
        'kexec_load',
        'init_module',
        'userfaultfd',
      ] as const) {
        assert.ok(refused.includes(name), name);
      }
      for (const name of ['clone', 'prctl', 'ioctl', 'socketpair', 'shmget', 'wait4', 'madvise'] as const) {
        assert.ok(!refused.includes(name), name);
      }
      const count = [...Array(470).keys()].filter((number) => ask(PROGRAM, number) === 'EPERM').length;
      const listed = refused.filter((name) => name !== 'ioprio_set').length;
      assert.ok(count <= listed + 1, `${count} numbers are refused, ${listed} of them by name`);
    });

    test('lets nobody make a file that runs as its owner or group', () => {
      const modes: [SyscallName, (mode: number) => number[]][] = [
        ['chmod', (mode) => [0, mode]],
        ['fchmod', (mode) => [5, mode]],
        ['fchmodat', (mode) => [5, 0, mode]],
        ['fchmodat2', (mode) => [5, 0, mode, 0]],
        ['creat', (mode) => [0, mode]],
        ['mkdir', (mode) => [0, mode]],
        ['mkdirat', (mode) => [5, 0, mode]],
        ['mknod', (mode) => [0, 0o100000 | mode]],
        ['mknodat', (mode) => [5, 0, 0o100000 | mode]],
        ['open', (mode) => [0, 0o101, mode]],
        ['openat', (mode) => [5, 0, 0o101, mode]],
        ['openat', (mode) => [5, 0, 0o20200002, mode]],
      ];
      for (const [call, args] of modes) {
        if (syscallNumber(call, arch) === null) continue;
        assert.equal(ask(PROGRAM, call, args(0o1777)), 'allow', call);
        for (const bit of [0o4000, 0o2000])
          assert.equal(ask(PROGRAM, call, args(0o755 | bit)), 'EPERM', call);
      }
      // What opens a file that is there has no mode: the register holds anything.
      assert.equal(ask(PROGRAM, 'openat', [5, 0, 0o1, 0o7777]), 'allow');
      assert.equal(ask(PROGRAM, 'openat2'), 'ENOSYS', 'its mode is not to be seen');
    });

    test('answers clone3 and calls that are newer than itself as unknown', () => {
      assert.equal(ask(FUNCTION, 'clone3'), 'ENOSYS');
      assert.equal(ask(FUNCTION, 470), 'ENOSYS');
      assert.equal(ask(FUNCTION, 0x4000_0000), 'ENOSYS');
      assert.equal(ask(FUNCTION, 469), 'allow');
    });

    test('kills what calls in the convention of another architecture', () => {
      const program = seccompProgram(arch, FUNCTION);
      assert.equal(answerOf(program, { number: 0, arch: 0x4000_0003, args: [] }), 'kill');
    });

    test('looks at arguments', () => {
      const cases: [SyscallName, number[], string][] = [
        ['clone', [0x0120_0011], 'allow'],
        ['clone', [0x1000_0011], 'EPERM'],
        ['clone', [0x4000_0000], 'EPERM'],
        ['prctl', [15], 'allow'],
        ['prctl', [1, 9], 'allow'],
        ['prctl', [1, 0], 'EPERM'],
        ['prctl', [1, 15], 'EPERM'],
        ['prlimit64', [0, 7], 'allow'],
        ['prlimit64', [1, 7], 'EPERM'],
        ['setpriority', [0, 0, 5], 'allow'],
        ['setpriority', [0, 7, 5], 'EPERM'],
        ['setpriority', [2, 0, 5], 'EPERM'],
        ['ioprio_set', [1, 0], 'allow'],
        ['ioprio_set', [3, 0], 'EPERM'],
        ['mknodat', [0, 0, 0o100644], 'allow'],
        ['mknodat', [0, 0, 0o010644], 'allow'],
        ['mknodat', [0, 0, 0o020666], 'EPERM'],
        ['mknodat', [0, 0, 0o060666], 'EPERM'],
        ['ioctl', [0, 0x5401], 'allow'],
        ['ioctl', [0, 0x5412], 'EPERM'],
        ['socket', [1], 'allow'],
        ['socket', [2], 'allow'],
        ['socket', [16], 'allow'],
        ['socket', [17], 'EAFNOSUPPORT'],
        ['socket', [40], 'EAFNOSUPPORT'],
        ['socketpair', [1], 'allow'],
        ['socketpair', [30], 'EAFNOSUPPORT'],
      ];
      for (const [call, args, expected] of cases) {
        assert.equal(ask(FUNCTION, call, args), expected, `${call} ${args.join(' ')}`);
      }
    });

    test('without a network of its own, no network', () => {
      assert.equal(ask(OFFLINE, 'socket', [1]), 'allow');
      for (const family of [2, 10, 16]) assert.equal(ask(OFFLINE, 'socket', [family]), 'EAFNOSUPPORT');
    });

    test('what outlives an instance is for programs only', () => {
      for (const call of ['shmget', 'semget', 'msgget', 'mq_open'] as const) {
        assert.equal(ask(FUNCTION, call), 'EPERM');
        assert.equal(ask(PROGRAM, call), 'allow');
      }
    });
  });
}
