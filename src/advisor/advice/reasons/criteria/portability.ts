import { count, list } from '../words.ts';
import { sells } from '../sale-obstacles.ts';
import { reason, type Judge } from './reason.ts';

/** Whether it could run elsewhere in each mode, and whether the choice can be taken back. */
export const portability: Judge = (context) => {
  const { facts, books } = context.request;
  const sold = {
    function: books.filter((book) => sells(book, 'function')).length,
    service: books.filter((book) => sells(book, 'service')).length,
  };
  const measured = `${count(sold.function, 'price book')} of ${books.length} sell functions, ${sold.service} services`;
  const ties = [
    ...(facts.kind === 'command' ? ['it is a program of its own'] : []),
    ...(facts.sockets === true ? ['it takes WebSockets'] : []),
    ...(facts.storage.length > 0 ? [`it writes to ${list(facts.storage.slice(0, 3))}`] : []),
  ];
  if (ties.length > 0) {
    return reason('portability', {
      measured,
      value: ties.length,
      threshold: 'nothing that only a container has',
      favours: 'service',
      sentence: `Elsewhere it would be a container, and no provider’s function: ${list(ties)}.`,
    });
  }
  const isFree =
    facts.findings !== null && facts.findings.function.length === 0 && facts.findings.service.length === 0;
  return reason('portability', {
    measured,
    value: 0,
    threshold: 'nothing that only a container has',
    sentence: isFree
      ? 'The same code runs in both modes: the choice can be taken back at any time.'
      : 'Nothing in it is made for one provider: the same code runs in both modes where its findings are mended.',
  });
};
