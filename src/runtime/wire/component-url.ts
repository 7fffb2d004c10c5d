/** The client's scheme and host with the path that the component is to see. */
export function componentUrl(url: string, target: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  return path === -1 ? url + target : url.slice(0, path) + target;
}
