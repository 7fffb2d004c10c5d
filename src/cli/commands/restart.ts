import { connectToHost, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';

export async function restart(options: Target & { readonly json?: boolean }): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  const answer = await client.post<unknown>('/restart', {});
  if (options.json) printJson(answer);
  else print('A new process serves; the old one finishes what it has begun.');
  return EXIT.ok;
}
