/** Which texts are worth hiding: what tells a secret, and what is an ordinary word that a log cannot do without. */

/** Names of variables, settings, headers and parameters that hold secrets. */
export const secretNames =
  /pass(?:wd|word|phrase|code)?(?![a-z])|password|passwd|secret|token|api[-_.]?key|access[-_.]?key|private|credential|auth|bearer|cookie|session[-_.]?id|signature|(?:^|[-_.])(?:sig|pwd|pin|key|dsn)(?:$|[-_.])/i;

/** Below this many characters a text occurs by chance everywhere. */
const least = 4;

/** From this many on, a value of a Secret counts as secret whatever it looks like. */
const surely = 6;

/** What stands in Secrets beside the secrets, and in every log as well. */
const ordinary = new Set(
  (
    'admin administrator root default false true none null undefined enabled disabled enable disable ' +
    'prod production stage staging dev devel develop development test testing local localhost internal external public ' +
    'main master latest stable info warn warning debug error trace verbose user username login name host port ' +
    'mysql postgres postgresql mongo mongodb redis rabbitmq kafka database kubernetes docker server client service ' +
    'opaque string number boolean object https http://localhost 127.0.0.1 0.0.0.0 require required disable prefer verify-full ' +
    'application/json text/plain us-east-1 us-west-2 eu-west-1 eu-central-1 europe-west1 europe-west3 us-central1'
  ).split(' '),
);

/** `8080`, `30s`, `1.4.2`, `v2`, `500m`, `10Mi`, `50%`, `3s`. */
const amount = /^v?\d{1,10}(?:\.\d{1,6}){0,3}(?:[a-zA-Z]{1,2}|%)?$/;

/** One to three short words: `debug`, `eu-west`, `round robin`. */
const words = /^[a-zA-Z]{1,14}(?:[-_ .][a-zA-Z]{1,14}){0,2}$/;

/** Whether a credential, such as a token or a password of a kubeconfig, is to be hidden wherever it occurs. */
export function isMaskable(text: string): boolean {
  return text.length >= least && !ordinary.has(text.toLowerCase()) && !/^-----(?:BEGIN|END) [A-Z ]+-----$/.test(text);
}

/**
 * The same of a value of a Secret, which may be anything: six characters or more are hidden, four or five only when letters stand
 * beside digits or signs; ordinary words never, nor what JSON and PEM have around the values.
 */
export function isTelling(text: string): boolean {
  if (!isMaskable(text) || /^[[\]{}(),:;"'\s]*$/.test(text)) return false;
  if (text.length >= surely) return true;
  return /[a-z]/i.test(text) && /[^a-z]/i.test(text) && !amount.test(text);
}

/** Whether a value of a variable may be shown where it is of use: words, numbers, versions, amounts. */
export function isPlain(text: string): boolean {
  return text.length < least || ordinary.has(text.toLowerCase()) || amount.test(text) || words.test(text);
}

/** What a variable is about that only has such a word in its name: `AUTH_URL`, `TOKEN_TTL`, `SECRET_NAME`. */
const aboutSecrets =
  /(?:ur[il]|host|hostname|port|file|path|dir|folder|issuer|audience|ttl|timeout|expiry|expires|enabled|mode|type|provider|realm|scope|domain|endpoint|header|algorithm|length|name|user|role|class|count|size|region)s?$/i;

/** Whether something of this name holds a secret. */
export function namesSecret(name: string): boolean {
  return secretNames.test(name) && !aboutSecrets.test(name);
}

/** Whether a text looks like a key, a token or a password, whatever it is called. */
export function looksSecret(text: string): boolean {
  if (/:\/\/[^/@\s]{1,500}@/.test(text) || text.includes('-----BEGIN ')) return true;
  if (text.length < 16 || text.length > 10_000 || !/^[\w+/=.~-]+$/.test(text)) return false;
  // A path, an image or a host has many parts; a key has one that is long, of letters and digits.
  return text.split(/[-_./~]/).some((part) => part.length >= 8 && /[a-z]/i.test(part) && /\d/.test(part));
}
