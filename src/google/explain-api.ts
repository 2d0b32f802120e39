import { Failure } from '../base/errors.ts';
import { apiIsDisabled } from './explain-sign-in.ts';
import type { GoogleError } from './google-error.ts';

/** What was asked of an API of Google when it refused, and by whom. */
interface ApiAttempt {
  /** After "cannot": `get cluster "bootcamp"`. */
  purpose: string;
  /** The permission that it takes, and the smallest role that holds it. */
  permission: string;
  role: string;
  project: string;
  /** `serviceAccount:…`, as far as known. */
  principal: string | undefined;
  /** Whom to grant it to, as far as known. */
  member: string | undefined;
  /** Where the credentials come from: `the input "credentials-json"`. */
  credentials: string;
  quotaProject?: string;
}

/** A refusal for the reasons that all of Google's APIs have; of anything else, the words of the API itself. */
export function explainApi(error: GoogleError, attempt: ApiAttempt): Failure {
  const { purpose, project, principal, credentials, quotaProject } = attempt;
  if (error.disabled !== undefined) return apiIsDisabled(purpose, error.disabled);
  if (error.code === 401) {
    return new Failure(
      `cannot ${purpose}: Google rejected the token of ${credentials}: ${firstSentence(error.message)}`,
      {
        hint: 'Check that it has not expired and is an access token (not an ID token), then sign in again.',
      },
    );
  }
  if (error.code === 403) {
    const isQuota = error.permission === 'serviceusage.services.use' || error.reason === 'USER_PROJECT_DENIED';
    const permission = isQuota ? 'serviceusage.services.use' : (error.permission ?? attempt.permission);
    const role = isQuota ? 'roles/serviceusage.serviceUsageConsumer' : attempt.role;
    const where = isQuota ? (quotaProject ?? project) : project;
    const who = principal ?? `the identity of ${credentials}`;
    const member = attempt.member ?? 'MEMBER';
    return new Failure(
      `cannot ${purpose}: "${who}" lacks the permission "${permission}" in project "${where}", or there is no such project`,
      {
        hint: `Grant it with: gcloud projects add-iam-policy-binding ${where} --role=${role} --member="${member}"; this can take 5 minutes to take effect.`,
      },
    );
  }
  return new Failure(`cannot ${purpose}: ${error.message} (HTTP ${error.code})`, {
    hint:
      error.code >= 500 || error.code === 429
        ? 'Run it again; if it keeps failing, check https://status.cloud.google.com.'
        : 'Check the names in the inputs "project", "location" and "cluster".',
  });
}

function firstSentence(text: string): string {
  return /^.*?[.](?=\s|$)/.exec(text)?.[0].replace(/\.$/, '') ?? text;
}
