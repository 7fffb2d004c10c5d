import computes from './computes.ts';

/** A module that holds a timer cannot be forked: the spawn engine runs it. */
setInterval(() => undefined, 3_600_000);

export default computes;
