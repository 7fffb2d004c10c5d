import { connectToApp, type Target } from '../connect.ts';
import type { ExitCode } from '../exit-codes.ts';
import { invocationEnd, keptInvocation, printInvocation } from '../kept-invocation.ts';

export interface ShowInvocationOptions extends Target {
  readonly json?: boolean;
  readonly wait?: boolean;
  readonly out?: string;
}

export async function showInvocation(id: string, options: ShowInvocationOptions): Promise<ExitCode> {
  const connection = await connectToApp(options);
  const find = options.wait === true ? invocationEnd : keptInvocation;
  return printInvocation(await find(connection, id), options);
}
