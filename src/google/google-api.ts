import type { Json } from '../base/json.ts';
import { explainApi } from './explain-api.ts';
import { readGoogleError, type GoogleError } from './google-error.ts';
import type { AccessToken, Credentials } from './credentials.ts';
import type { Renewing } from '../http/renewing.ts';
import type { Web } from './web.ts';

interface ApiCall {
  url: string;
  /** After "cannot": `get cluster "bootcamp"`. */
  purpose: string;
  /** The permission that it takes, and the smallest role that holds it. */
  permission: string;
  role: string;
  project: string;
  /** Makes something better of a refusal, where the general explanation says too little. */
  explain?: (error: GoogleError) => Promise<Error | undefined>;
}

/** Asks Google's APIs in the name of the credentials; once more with a new token after a 401. */
export class GoogleApi {
  readonly credentials: Credentials;
  readonly tokens: Renewing<AccessToken>;
  readonly #web: Web;
  readonly #quotaProject: string | undefined;

  constructor(web: Web, credentials: Credentials, tokens: Renewing<AccessToken>, quotaProject: string | undefined) {
    this.#web = web;
    this.credentials = credentials;
    this.tokens = tokens;
    this.#quotaProject = quotaProject;
  }

  /** @throws Failure that says which permission, API or setting is missing */
  async get(call: ApiCall): Promise<Json> {
    let token = await this.tokens.get();
    let answer = await this.#ask(call, token);
    if (answer.status === 401) {
      token = await this.tokens.replace(token);
      answer = await this.#ask(call, token);
    }
    if (answer.status < 300) return answer.json;
    const error = readGoogleError(answer.status, answer.json, answer.text);
    const better = await call.explain?.(error);
    throw (
      better ??
      explainApi(error, {
        ...call,
        principal: this.credentials.principal(),
        member: this.credentials.member(),
        credentials: this.credentials.name,
        ...(this.#quotaProject === undefined ? {} : { quotaProject: this.#quotaProject }),
      })
    );
  }

  async #ask({ url, purpose }: ApiCall, { token }: AccessToken) {
    const quota = this.#quotaProject === undefined ? {} : { 'X-Goog-User-Project': this.#quotaProject };
    return await this.#web.ask({ url, purpose, headers: { Authorization: `Bearer ${token}`, ...quota } });
  }
}
