import { count } from '../words.ts';
import { obstructed, reason, wordsOf, type Judge } from './reason.ts';

/** What one call leaves in memory or on disk for another: state through a transaction, sessions, connections. */
export const state: Judge = (context) => {
  const obstacles = context.against('state');
  const { findings } = context.request.facts;
  if (obstacles.length > 0) {
    const places = obstacles.reduce((sum, { evidence }) => sum + evidence.length, 0);
    return obstructed(context, obstacles, {
      measured: `${count(places, 'place')} in its code ${places === 1 ? 'keeps' : 'keep'} what other calls meet`,
      value: places,
      threshold: 'none',
      sentence: wordsOf(obstacles[0]!),
    });
  }
  const isRead = findings !== null && context.request.facts.kind !== 'command';
  return reason('state', {
    measured: isRead ? 'nothing found that is kept between calls' : 'not known: its code was not read',
    value: isRead ? 0 : null,
    threshold: 'none',
    sentence: isRead
      ? 'Nothing was found in its code that is kept between calls: both modes may have it.'
      : 'Whether it keeps anything between calls is not known, for its code was not read.',
  });
};
