import type { Expiring } from '../http/renewing.ts';

export interface AccessToken extends Expiring {
  token: string;
}

/** Somebody who can sign in to Google Cloud. */
export interface Credentials {
  /** Where they come from, as messages name it: `the input "credentials-json"`. */
  readonly name: string;
  /** Who it is, as IAM writes members: `serviceAccount:deployer@shop.iam.gserviceaccount.com`; as far as it is known. */
  principal(): string | undefined;
  /**
   * Whom to grant rights to. For a run of a repository that is all runs of it: a principal with its subject would be right
   * for one branch only.
   */
  member(): string | undefined;
  /** A new token each time. @throws Failure that says why there is none */
  token(): Promise<AccessToken>;
  /** The project they belong to, where they say so. */
  readonly projectId?: string;
  readonly quotaProject?: string;
  /** Their universe, where they say so. */
  readonly universe?: string;
}

/** `cloud-platform` for all of Google's APIs; by the other one GKE knows a service account by its e-mail in RBAC. */
export const scopes = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
] as const;
