import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenFds } from './listen-fds.ts';

const PID = 4_711;
const OWN = String(PID);

const CASES: [string, Record<string, string>, { fd: number; name: string }[]][] = [
  ['nothing', {}, []],
  ['no owner', { LISTEN_FDS: '2' }, []],
  ['no number', { LISTEN_PID: OWN }, []],
  ['for another process', { LISTEN_FDS: '2', LISTEN_PID: '1' }, []],
  ['for another process, and wrong besides', { LISTEN_FDS: 'x', LISTEN_PID: '1' }, []],
  ['none', { LISTEN_FDS: '0', LISTEN_PID: OWN }, []],
  ['one without a name', { LISTEN_FDS: '1', LISTEN_PID: OWN }, [{ fd: 3, name: '' }]],
  [
    'two with names',
    { LISTEN_FDS: '2', LISTEN_PID: OWN, LISTEN_FDNAMES: 'http:https' },
    [
      { fd: 3, name: 'http' },
      { fd: 4, name: 'https' },
    ],
  ],
];
for (const [name, env, expected] of CASES) {
  test(name, () => assert.deepEqual(listenFds(env, PID), expected));
}

const WRONG: [Record<string, string>, RegExp][] = [
  [{ LISTEN_FDS: '1', LISTEN_PID: 'x' }, /LISTEN_PID is 'x', and should be a process id/],
  [{ LISTEN_FDS: '-1', LISTEN_PID: OWN }, /LISTEN_FDS is '-1', and should be a number of sockets/],
  [{ LISTEN_FDS: '65', LISTEN_PID: OWN }, /at most 64/],
  [{ LISTEN_FDS: '1.5', LISTEN_PID: OWN }, /LISTEN_FDS/],
  [{ LISTEN_FDS: '', LISTEN_PID: OWN }, /LISTEN_FDS/],
  [
    { LISTEN_FDS: '2', LISTEN_PID: OWN, LISTEN_FDNAMES: 'http' },
    /LISTEN_FDNAMES is 'http', and should be 2 names/,
  ],
];
for (const [env, message] of WRONG) {
  test(`${JSON.stringify(env)} is refused`, () => {
    assert.throws(
      () => listenFds(env, PID),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'config-invalid');
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
