/** A zygote has ended before it did what it was asked; another may be asked. */
export class ZygoteLost extends Error {
  override readonly name = 'ZygoteLost';

  constructor() {
    super('The zygote has ended.');
  }
}
