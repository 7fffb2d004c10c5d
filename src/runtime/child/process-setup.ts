import { writeSync } from 'node:fs';
import { loggedText } from './author-errors.ts';
import { captureConsole } from './console-capture.ts';
import { sendLine } from './instance.ts';
import type { Link } from './link.ts';

let occupant: Link | null = null;
let state: 'plain' | 'prepared' = 'plain';

/**
 * Makes this process what every component's is: source maps in stack traces, and all that is printed told to the server, once
 * there is a component. Before any of the author's code runs; a root zygote does it for all its forks.
 */
function prepareProcess(): void {
  if (state === 'prepared') return;
  state = 'prepared';
  process.setSourceMapsEnabled(true);
  captureConsole((stream, level, text) => {
    if (occupant === null) writeSync(stream === 'stdout' ? 1 : 2, `${text}\n`);
    else sendLine(occupant.connection, null, stream, level, loggedText(text));
  });
  process.on('exit', () => occupant?.connection.flush());
}

/** From now on what is printed goes over `link`; null: to the process' own output. */
export function printOver(link: Link | null): void {
  prepareProcess();
  occupant = link;
}
