/** Makes `process.env` hold exactly `wanted`. */
export function setEnvironment(wanted: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(wanted, name)) delete process.env[name];
  Object.assign(process.env, wanted);
}
