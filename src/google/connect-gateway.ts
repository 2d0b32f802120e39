import { Failure, InvalidInput } from '../base/errors.ts';
import { isObject, objectsAt, stringAt, type Json } from '../base/json.ts';
import type { ClusterName } from './cluster-name.ts';
import { pathOf } from './cluster.ts';
import type { GoogleApi } from './google-api.ts';
import type { Hosts } from './hosts.ts';

/** A cluster as a member of a fleet. */
interface Membership {
  /** Number or id. */
  project: string;
  /** `global` or a region. */
  location: string;
  name: string;
}

const pattern =
  /^(?:\/\/gkehub\.[^/]+\/)?projects\/(?<project>[^/]+)\/locations\/(?<location>[^/]+)\/memberships\/(?<name>[^/]+)$/;

const gateway = { permission: 'gkehub.memberships.get', role: 'roles/gkehub.viewer' };

/** `projects/1/locations/us-central1/memberships/bootcamp`, with or without the host before it. */
export function parseMembership(text: string | undefined): Membership | undefined {
  const groups = pattern.exec(text ?? '')?.groups;
  if (groups === undefined) return undefined;
  const { project = '', location = '', name = '' } = groups;
  return { project, location, name };
}

/** A membership and whether it is a GKE cluster, which decides about its path at the gateway. */
interface FoundMembership extends Membership {
  isGke: boolean;
}

/**
 * The membership of a name, in whatever location it is: by default GKE makes them in the region of the cluster, before
 * in `global` (google-github-actions/get-gke-credentials#344).
 */
export async function membershipNamed(
  api: GoogleApi,
  hosts: Hosts,
  project: string,
  name: string,
): Promise<FoundMembership> {
  const full = parseMembership(name);
  if (full !== undefined) {
    const url = `${hosts.of('gkehub')}/v1/projects/${full.project}/locations/${full.location}/memberships/${full.name}`;
    const purpose = `get fleet membership "${full.name}"`;
    const explain = (error: { code: number }) =>
      Promise.resolve(error.code === 404 ? unknownMembership(full.name, full.project, []) : undefined);
    const membership = await api.get({ url, purpose, ...gateway, project: full.project, explain });
    return { ...full, isGke: isGke(membership) };
  }
  const all = await memberships(api, hosts, project);
  const found = all.filter((one) => parseMembership(stringAt(one, 'name'))?.name === name);
  return only(found, name, project, all);
}

/** The membership of a GKE cluster, as its own description says, or else as the fleet of its project says. */
export async function membershipOfCluster(
  api: GoogleApi,
  hosts: Hosts,
  name: ClusterName,
  cluster: Json,
): Promise<FoundMembership> {
  const stated = parseMembership(stringAt(cluster, 'fleet', 'membership'));
  if (stated !== undefined) return { ...stated, isGke: true };
  const link = `//container.${hosts.universe}/${pathOf(name)}`;
  const found = await memberships(api, hosts, name.project, `endpoint.gkeCluster.resourceLink="${link}"`);
  if (found.length > 0) return only(found, name.cluster, name.project, found);
  throw new Failure(`cluster "${name.cluster}" is not in a fleet, and the Connect Gateway reaches fleet members only`, {
    hint: `Register it with: gcloud container clusters update ${name.cluster} --location=${name.location} --project=${name.project} --enable-fleet, or choose another "endpoint".`,
  });
}

async function memberships(api: GoogleApi, hosts: Hosts, project: string, filter?: string): Promise<Json[]> {
  const found: Json[] = [];
  let page = '';
  do {
    const query = new URLSearchParams({
      ...(filter === undefined ? {} : { filter }),
      ...(page === '' ? {} : { pageToken: page }),
    });
    const answer = await api.get({
      url: `${hosts.of('gkehub')}/v1/projects/${encodeURIComponent(project)}/locations/-/memberships?${query.toString()}`,
      purpose: `list the fleet memberships of project "${project}"`,
      permission: 'gkehub.memberships.list',
      role: gateway.role,
      project,
    });
    found.push(...objectsAt(answer, 'resources'));
    page = stringAt(answer, 'nextPageToken') ?? '';
  } while (page !== '');
  return found;
}

function only(found: readonly Json[], name: string, project: string, all: readonly Json[]): FoundMembership {
  const [first, ...more] = found;
  const membership = parseMembership(stringAt(first, 'name'));
  if (membership === undefined) throw unknownMembership(name, project, all);
  if (more.length > 0) {
    throw new InvalidInput(`there are ${found.length} fleet memberships for "${name}": ${namesOf(found)}`, {
      hint: 'Set the input "fleet-membership" to the full name of one of them.',
    });
  }
  return { ...membership, isGke: isGke(first) };
}

function unknownMembership(name: string, project: string, all: readonly Json[]): Failure {
  const there = all.length === 0 ? '' : `; there are ${namesOf(all)}`;
  return new Failure(`there is no fleet membership "${name}" in project "${project}"${there}`, {
    hint: 'Check the inputs "fleet-membership" and "project" against "gcloud container fleet memberships list".',
  });
}

function namesOf(all: readonly Json[]): string {
  return all
    .slice(0, 10)
    .map((one) => `"${stringAt(one, 'name') ?? ''}"`)
    .join(', ');
}

function isGke(membership: Json | undefined): boolean {
  return isObject(membership) && stringAt(membership, 'endpoint', 'gkeCluster', 'resourceLink') !== undefined;
}

/**
 * Where the gateway serves a membership. Its paths know a project by its number only (googleapis/google-cloud-python#13852);
 * members of a region have a gateway of their region (get-gke-credentials#245).
 */
export async function gatewayServer(api: GoogleApi, hosts: Hosts, membership: FoundMembership): Promise<string> {
  const { isGke: gke, location, name, project } = membership;
  const number = /^\d+$/.test(project) ? project : await projectNumber(api, hosts, project);
  const kind = gke ? 'gkeMemberships' : 'memberships';
  return `${hosts.of('connectgateway', location)}/v1/projects/${number}/locations/${location}/${kind}/${name}`;
}

/** cloudresourcemanager.googleapis.com v3 projects.get, whose `name` holds the number. */
async function projectNumber(api: GoogleApi, hosts: Hosts, project: string): Promise<string> {
  const answer = await api.get({
    url: `${hosts.of('cloudresourcemanager')}/v3/projects/${encodeURIComponent(project)}`,
    purpose: `get the number of project "${project}"`,
    permission: 'resourcemanager.projects.get',
    role: 'roles/browser',
    project,
  });
  const number = /^projects\/(?<number>\d+)$/.exec(stringAt(answer, 'name') ?? '')?.groups?.['number'];
  if (number !== undefined) return number;
  throw new Failure(`Google did not return the number of project "${project}"`, {
    hint: 'Set the input "fleet-membership" to the full name, which includes the number.',
  });
}
