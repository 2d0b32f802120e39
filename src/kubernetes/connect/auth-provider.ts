import { InvalidInput, messageOf } from '../../base/errors.ts';
import { numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../base/json.ts';
import { describeLimit, limits, type Limit } from '../../base/limits.ts';
import { askIssuer, type Way } from './ask-issuer.ts';

interface Surroundings extends Omit<Way, 'signal'> {
  /** Milliseconds since the epoch. */
  now: number;
  /** Ends it. */
  signal?: AbortSignal;
  /** For all questions to the issuer together. */
  time?: Limit;
}

/** A token must still be good when the request arrives; client-go allows for as much. */
const marginMs = 10_000;

/**
 * The ID token that the `auth-provider` "oidc" of a kubeconfig user gives; an expired one is renewed at its issuer, as client-go does
 * (kubernetes/client-go plugin/pkg/client/auth/oidc). `config` then holds the new tokens, for an issuer may accept a refresh token
 * only once; the kubeconfig itself stays as it is.
 * @throws InvalidInput when the provider gives none
 */
export async function askAuthProvider(
  provider: JsonObject,
  context: string,
  { now, signal, time = limits.pluginTime, ...way }: Surroundings,
): Promise<string | undefined> {
  const late = AbortSignal.timeout(time.value);
  try {
    const config = configOf(provider);
    const token = textOf(config, 'id-token');
    if (token !== undefined && expiryOf(token) > now + marginMs) return token;
    if (token === undefined && textOf(config, 'refresh-token') === undefined) return undefined;
    const fresh = await renew(config, {
      ...way,
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
    Object.assign(config, fresh);
    return fresh['id-token'];
  } catch (error) {
    signal?.throwIfAborted();
    const why = late.aborted ? `no answer: ${describeLimit(time)}` : messageOf(error);
    throw new InvalidInput(`cannot get credentials for context "${context}": ${why}`, {
      cause: error,
      hint: 'Check that this context works with kubectl on this runner, and fix the kubeconfig.',
    });
  }
}

function configOf(provider: JsonObject): JsonObject {
  const name = stringAt(provider, 'name') ?? '';
  if (name !== 'oidc') throw new Error(`the auth-provider "${name}" is not supported`);
  return objectAt(provider, 'config');
}

/** Empty counts as absent. */
function textOf(config: JsonObject, key: string): string | undefined {
  const text = stringAt(config, key);
  return text === '' ? undefined : text;
}

function needed(config: JsonObject, key: string): string {
  const text = textOf(config, key);
  if (text === undefined)
    throw new Error(`its ID token has expired, and its auth-provider has no "${key}" to renew it`);
  return text;
}

/** Milliseconds since the epoch. */
function expiryOf(token: string): number {
  const [, payload = ''] = token.split('.');
  const seconds = numberAt(parse(Buffer.from(payload, 'base64url').toString()), 'exp');
  if (seconds === undefined) throw new Error('its "id-token" is not a JSON Web Token with an expiry');
  return seconds * 1000;
}

interface Tokens extends JsonObject {
  'id-token': string;
  'refresh-token': string;
}

/** @throws Error */
async function renew(config: JsonObject, way: Way): Promise<Tokens> {
  const refreshToken = needed(config, 'refresh-token');
  const issuer = needed(config, 'idp-issuer-url').replace(/\/$/, '');
  const client = clientOf(config);
  const found = await jsonOf(`${issuer}/.well-known/openid-configuration`, { method: 'GET' }, way);
  const endpoint = stringAt(found, 'token_endpoint');
  if (endpoint === undefined) throw new Error(`${issuer} does not say where tokens are renewed ("token_endpoint")`);
  const { headers, form } = client(found);
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, ...form }).toString();
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const answer = await jsonOf(endpoint, { method: 'POST', headers: { ...type, ...headers }, body }, way);
  const token = stringAt(answer, 'id_token');
  if (token === undefined) throw new Error(`${new URL(endpoint).host} renewed the session without an ID token`);
  return { 'id-token': token, 'refresh-token': stringAt(answer, 'refresh_token') ?? refreshToken };
}

interface Proof {
  headers?: Record<string, string>;
  form: Record<string, string>;
}

/**
 * How the client shows who it is, by what the issuer says that it takes: with its password in a header (the default of OpenID Connect
 * Discovery 1.0, section 3) or in the form.
 */
function clientOf(config: JsonObject): (issuer: Json) => Proof {
  const id = needed(config, 'client-id');
  const secret = textOf(config, 'client-secret');
  return (issuer) => {
    if (secret === undefined) return { form: { client_id: id } };
    const ways = objectAt(issuer)['token_endpoint_auth_methods_supported'];
    const takesForm = Array.isArray(ways) && ways.includes('client_secret_post');
    const takesHeader = !Array.isArray(ways) || ways.includes('client_secret_basic');
    if (takesForm && !takesHeader) return { form: { client_id: id, client_secret: secret } };
    const pair = [id, secret].map((text) => new URLSearchParams({ '': text }).toString().slice(1)).join(':');
    return { headers: { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, form: {} };
  };
}

async function jsonOf(url: string, question: Parameters<typeof askIssuer>[1], way: Way): Promise<Json> {
  const { status, text } = await askIssuer(url, question, way);
  const json = parse(text);
  const { host } = new URL(url);
  if (status !== 200) {
    const why = stringAt(json, 'error_description') ?? stringAt(json, 'error');
    throw new Error(`${host} answered HTTP ${status}${why === undefined ? '' : `: ${why}`}`);
  }
  if (json === undefined) throw new Error(`${host} did not answer with JSON`);
  return json;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
