/** `Component "cart"` or `Group "core"`, as a sentence begins. */
export function titleOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind === 'group' ? 'Group' : 'Component'} "${name}"`;
}

/** The same within a sentence. */
export function namedOf(spec: { readonly kind: string; readonly name: string }): string {
  const title = titleOf(spec);
  return title[0]!.toLowerCase() + title.slice(1);
}
