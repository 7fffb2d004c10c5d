import { AUDIT_ARCH, ANSWER, assemble, DATA, type Step } from './bpf.ts';
import { addressOf, arch, call } from './native.ts';
import { syscallNumber } from './syscall-numbers.ts';

const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2;
const MADV_DONTFORK = 10;
const ENOSYS = 38;

/** No program that this process or a descendant executes gains rights by being setuid or having file capabilities. For ever. */
export function forbidNewPrivileges(): void {
  call('prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], 'no new privileges');
}

/**
 * Puts `program` in front of every system call of the calling thread, and of what it forks and executes, for ever.
 * Needs {@link forbidNewPrivileges} (or CAP_SYS_ADMIN) first.
 */
export function installFilter(program: Buffer): void {
  // struct sock_fprog: a count, padding, the address of the instructions.
  const filter = Buffer.alloc(16);
  filter.writeUInt16LE(program.length / 8, 0);
  filter.writeBigUInt64LE(addressOf(program), 8);
  call('prctl', [PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter, 0, 0], 'seccomp filter');
}

/**
 * What makes a Node process forkable. V8 marks its memory so that children do not inherit it: under this filter the mark is
 * said to be set and is not. libuv opens a ring of io_uring for each event loop, which a fork would share and a sandbox
 * takes away: under this filter the kernel seems to have none, and libuv does without.
 * It must be there before Node starts, so whoever executes that Node installs it.
 */
export function forkableNode(): Buffer {
  const steps: Step[] = [
    { do: 'load', offset: DATA.arch },
    { do: 'jump', when: 'equal', value: AUDIT_ARCH[arch], otherwise: 'allow' },
    { do: 'load', offset: DATA.number },
    { do: 'jump', when: 'equal', value: syscallNumber('io_uring_setup', arch)!, to: 'no such call' },
    { do: 'jump', when: 'equal', value: syscallNumber('madvise', arch)!, otherwise: 'allow' },
    { do: 'load', offset: DATA.argument(2) },
    { do: 'jump', when: 'equal', value: MADV_DONTFORK, otherwise: 'allow' },
    { do: 'answer', action: ANSWER.error(0) },
    { do: 'label', name: 'no such call' },
    { do: 'answer', action: ANSWER.error(ENOSYS) },
    { do: 'label', name: 'allow' },
    { do: 'answer', action: ANSWER.allow },
  ];
  return assemble(steps);
}
