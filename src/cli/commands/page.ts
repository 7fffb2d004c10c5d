import { FulcrumError } from '../../base/errors.ts';
import { connectToHost } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint } from '../terminal.ts';

/** A link that opens the admin page: alone on stdout, so that it can be handed to a browser. */
export async function page(options: { url?: string; json?: boolean }): Promise<ExitCode> {
  const { client, entry } = await connectToHost(options);
  const { place } = client;
  const address = place.kind === 'url' ? place.url.href.replace(/\/$/, '') : entry?.adminUrl;
  if (address === null || address === undefined) {
    throw new FulcrumError(
      'not-found',
      'This server has no admin page: its admin API is on a Unix socket alone.',
    );
  }
  const { path, validMs } = await client.post<{ path: string; validMs: number }>('/page-links', {});
  const link = `${address}${path}`;
  if (options.json) printJson({ link, validMs });
  else {
    print(link);
    const text = `It opens the page once, within ${validMs / 1_000} s.`;
    process.stderr.write(`${paint('dim', text, process.stderr)}\n`);
  }
  return EXIT.ok;
}
