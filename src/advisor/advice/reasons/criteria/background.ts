import { obstructed, reason, wordsOf, type Judge } from './reason.ts';

/** Work that no call waits for. */
export const background: Judge = (context) => {
  const obstacles = context.against('background');
  if (obstacles.length > 0) {
    return obstructed(context, obstacles, {
      measured: 'works between calls',
      threshold: 'no work between calls',
      sentence: wordsOf(obstacles[0]!),
    });
  }
  const isRead = context.request.facts.findings !== null && context.request.facts.kind !== 'command';
  return reason('background', {
    measured: isRead ? 'none found' : 'not known: its code was not read',
    threshold: 'no work between calls',
    sentence: isRead
      ? 'It does nothing between calls.'
      : 'Whether it does anything between calls is not known, for its code was not read.',
  });
};
