/** The environment that an app's id does not name. */
const PRODUCTION = 'production';

const NAME = '[a-z][a-z0-9-]{0,40}';
const ID = new RegExp(`^${NAME}(?:@${NAME})?$`);

/** What an app is called on a server: `shop`, and in another environment than production `shop@staging`. */
export function appId(name: string, environment: string): string {
  return environment === PRODUCTION ? name : `${name}@${environment}`;
}

/** Whether `text` has the form of an app's id; `shop@production` has not, for that is `shop`. */
export function isAppId(text: string): boolean {
  return ID.test(text) && !text.endsWith(`@${PRODUCTION}`);
}
