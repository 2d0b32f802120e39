import { InvalidInput } from '../base/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The APIs of Google that signing in needs, by the names that gcloud gives them. */
type Service = 'cloudresourcemanager' | 'connectgateway' | 'container' | 'gkehub' | 'iamcredentials' | 'oauth2' | 'sts';

export const defaultUniverse = 'googleapis.com';

/** Where the APIs of one universe are; gcloud's variables lead single ones elsewhere, such as into a closed network. */
export class Hosts {
  readonly universe: string;
  readonly #env: Environment;

  constructor(universe: string, env: Environment) {
    this.universe = universe;
    this.#env = env;
  }

  /**
   * `https://container.googleapis.com`, without a slash at its end. A location comes before it as regional gateways have it:
   * `https://us-central1-connectgateway.googleapis.com`.
   * @throws InvalidInput when an override is not a URL
   */
  of(service: Service, location = 'global'): string {
    const variable = `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`;
    const override = this.#env[variable] ?? '';
    if (override !== '') return checkedUrl(override, variable).replace(/(?<!\/)\/+$/, '');
    const prefix = location === 'global' ? '' : `${location}-`;
    return `https://${prefix}${service}.${this.universe}`;
  }

  /** Where refresh tokens and signed assertions become access tokens. */
  get tokenUri(): string {
    const override = this.#env['CLOUDSDK_AUTH_TOKEN_HOST'] ?? '';
    return override === '' ? `${this.of('oauth2')}/token` : checkedUrl(override, 'CLOUDSDK_AUTH_TOKEN_HOST');
  }
}

/** The universe that the environment names, for gcloud or for the client libraries. */
export function universeOf(env: Environment): string | undefined {
  return firstOf(env, ['GOOGLE_CLOUD_UNIVERSE_DOMAIN', 'CLOUDSDK_CORE_UNIVERSE_DOMAIN']);
}

/** The value of the first variable that is set and not empty. */
export function firstOf(env: Environment, names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined && value !== '');
}

function checkedUrl(value: string, variable: string): string {
  if (/^https?:\/\//.test(value) && URL.canParse(value)) return value;
  throw new InvalidInput(`${variable} is "${value}", which is not a URL`, {
    hint: 'Use a URL such as https://container.example.com/, or unset it.',
  });
}
