import { z } from 'zod';
import { componentName } from './fields.ts';

/** What the list of a group should be. */
export const TWO_OR_MORE = "two modules or more by name, such as ['checkout', 'inventory']";

export const groupsSchema = z.record(
  componentName,
  z.array(z.string({ error: "a component's name" }), { error: TWO_OR_MORE }).readonly(),
  { error: "an object such as { core: ['checkout', 'inventory'] }" },
);

export const callsSchema = z
  .array(z.string({ error: "a component's name" }), { error: "a list such as ['inventory', 'pricing']" })
  .readonly();
