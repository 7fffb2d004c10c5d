import { FulcrumError } from '../../base/errors.ts';

const nobody = (): never => {
  throw new FulcrumError('internal', 'A frame came before its session.');
};

/** Of a connection for which there is no session yet. */
export const SILENT = { control: nobody, opened: nobody };
