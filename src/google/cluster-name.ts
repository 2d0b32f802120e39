import { InvalidInput } from '../base/errors.ts';
import { firstOf, type Environment } from './hosts.ts';

/** The full name of a cluster. */
export interface ClusterName {
  project: string;
  /** A zone or a region. */
  location: string;
  cluster: string;
}

/** What was given of it. */
interface ClusterReference {
  /** The short name, or `projects/P/locations/L/clusters/C`. */
  cluster: string;
  project?: string;
  location?: string;
}

const full =
  /^(?:(?:\/\/|https:\/\/)container\.[^/]+\/(?:v1\/)?)?projects\/(?<project>[^/]+)\/(?:locations|zones)\/(?<location>[^/]+)\/clusters\/(?<cluster>[^/]+)$/;

/** What project a job is about: google-github-actions/auth and gcloud say it in these. */
const projectVariables = [
  'GOOGLE_CLOUD_PROJECT',
  'CLOUDSDK_CORE_PROJECT',
  'CLOUDSDK_PROJECT',
  'GCLOUD_PROJECT',
  'GCP_PROJECT',
];

/**
 * Completes the name of a cluster: from the inputs, then the environment, then the credentials.
 * @param projectOfCredentials the project that they belong to, as far as known
 * @throws InvalidInput when a part is missing or given twice in different ways
 */
export function resolveClusterName(
  reference: ClusterReference,
  env: Environment,
  projectOfCredentials?: string,
): ClusterName {
  const parts = partsOf(reference.cluster);
  if (parts !== undefined) {
    for (const part of ['project', 'location'] as const) {
      const other = reference[part];
      if (other !== undefined && other !== parts[part]) {
        throw new InvalidInput(
          `the input "${part}" is "${other}", but the input "cluster" names the ${part} "${parts[part]}"`,
          { hint: 'Set each of them once.' },
        );
      }
    }
    return parts;
  }
  const project = projectOf(reference.project, env, projectOfCredentials);
  if (reference.location === undefined) throw missingLocation(reference.cluster);
  return { project, location: reference.location, cluster: reference.cluster };
}

/** The project by input, environment or credentials. @throws InvalidInput when none says one */
export function projectOf(given: string | undefined, env: Environment, projectOfCredentials?: string): string {
  const project = given ?? firstOf(env, projectVariables) ?? projectOfCredentials;
  if (project !== undefined) return project;
  throw new InvalidInput('the project of the cluster is not set', {
    hint: 'Set the input "project", or the variable GOOGLE_CLOUD_PROJECT.',
  });
}

export function missingLocation(cluster: string): InvalidInput {
  return new InvalidInput(`sign-in to GKE needs the location of the cluster "${cluster}"`, {
    hint: 'Set the input "location" to its zone or region, as "gcloud container clusters list" shows it.',
  });
}

/** The parts of a full resource name; undefined for a short one. */
export function partsOf(cluster: string): ClusterName | undefined {
  const groups = full.exec(cluster)?.groups;
  if (groups === undefined) return undefined;
  const { project = '', location = '', cluster: name = '' } = groups;
  return { project, location, cluster: name };
}

/** The project in the e-mail of a service account that a user has made. */
export function projectOfServiceAccount(email: string | undefined): string | undefined {
  return /^[^@]+@(?<project>[a-z0-9.:-]+)\.iam\.gserviceaccount\.com$/.exec(email ?? '')?.groups?.['project'];
}

/**
 * The name in a context that gcloud or get-gke-credentials have made: `gke_shop_us-central1_bootcamp`. No part of it can have an
 * underscore. Undefined for every other context.
 */
export function parseGkeContext(context: string): ClusterName | undefined {
  const found =
    /^gke_(?<project>[a-z][a-z0-9.:-]{3,60}[a-z0-9])_(?<location>[a-z]+-[a-z]+\d{1,2}(?:-[a-z])?)_(?<cluster>[a-z][a-z0-9-]{0,39})$/.exec(
      context,
    );
  const { project, location, cluster } = found?.groups ?? {};
  if (project === undefined || location === undefined || cluster === undefined) return undefined;
  return { project, location, cluster };
}
