export type Mode = 'function' | 'service';
/** What the author asked for. `auto` runs as a function until the advisor decides otherwise. */
export type ModeSetting = Mode | 'auto';
