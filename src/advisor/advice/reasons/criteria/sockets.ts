import { obstructed, reason, wordsOf, type Judge } from './reason.ts';

/** Connections that last: WebSockets, servers of its own. */
export const sockets: Judge = (context) => {
  const obstacles = context.against('sockets');
  if (obstacles.length > 0) {
    return obstructed(context, obstacles, {
      measured: 'connections that last',
      threshold: 'none',
      sentence: wordsOf(obstacles[0]!),
    });
  }
  const known = context.request.facts.sockets !== null;
  return reason('sockets', {
    measured: known ? 'none' : 'not known yet',
    threshold: 'none',
    sentence: known
      ? 'It holds no connections open.'
      : 'Whether it takes WebSockets is not known before an instance of it has run.',
  });
};
