import { asFulcrumError } from '../base/errors.ts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.ts';
import { runProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** The `fulcrum` command, from its arguments to its exit status. */
async function main(): Promise<void> {
  // Whoever reads our output may have had enough (`fulcrum logs | head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
  });
  const args = process.argv.slice(2);
  // `dev` and `serve` end their server in order first; a deploy says what state things are in.
  if (!['dev', 'serve', 'deploy'].includes(args[0] ?? ''))
    process.once('SIGINT', () => process.exit(EXIT.interrupted));
  const code = await exitCode(args);
  // Not exit() at once: what is still on its way to a pipe would be lost.
  process.exitCode = code;
  process.stdout.write('', () => process.exit(code));
}

async function exitCode(args: readonly string[]): Promise<ExitCode> {
  try {
    return await runProgram(args);
  } catch (thrown) {
    const error = asFulcrumError(thrown);
    reportError(error);
    return exitCodeOf(error);
  }
}

await main();
