/** Of an app: `one component`, `5 components, a group`. */
export function sizeWords(components: number, groups: number): string {
  const all = components === 1 ? 'one component' : `${components} components`;
  return groups === 0 ? all : `${all}, ${groups === 1 ? 'a group' : `${groups} groups`}`;
}
