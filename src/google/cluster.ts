import { Failure } from '../base/errors.ts';
import { objectsAt, stringAt, type Json } from '../base/json.ts';
import { closest } from '../base/similar.ts';
import type { ClusterName } from './cluster-name.ts';
import type { GoogleApi } from './google-api.ts';
import type { Hosts } from './hosts.ts';

/** The permission is in all roles of GKE; this one has it and nothing inside the cluster. */
const viewer = { permission: 'container.clusters.get', role: 'roles/container.clusterViewer' };

/**
 * What GKE says about a cluster (container.googleapis.com v1 projects.locations.clusters.get).
 * @throws Failure that says where it is instead, when it is not where it was looked for
 */
export async function getCluster(api: GoogleApi, hosts: Hosts, name: ClusterName): Promise<Json> {
  const { cluster, location, project } = name;
  const purpose = `get cluster "${cluster}"`;
  return await api.get({
    url: `${hosts.of('container')}/v1/${pathOf(name)}`,
    purpose,
    ...viewer,
    project,
    explain: async (error) => {
      if (error.code !== 404) return undefined;
      return notFound(name, await clustersOf(api, hosts, { cluster, location, project }));
    },
  });
}

/** `projects/shop/locations/us-central1/clusters/bootcamp` */
export function pathOf({ cluster, location, project }: ClusterName): string {
  const parts = [project, location, cluster].map(encodeURIComponent);
  return `projects/${parts[0] ?? ''}/locations/${parts[1] ?? ''}/clusters/${parts[2] ?? ''}`;
}

/** All clusters of the project; undefined when they may not be listed, which is another permission. */
async function clustersOf(api: GoogleApi, hosts: Hosts, { project }: ClusterName): Promise<Json[] | undefined> {
  try {
    const list = await api.get({
      url: `${hosts.of('container')}/v1/projects/${encodeURIComponent(project)}/locations/-/clusters`,
      purpose: `list the clusters of project "${project}"`,
      permission: 'container.clusters.list',
      role: viewer.role,
      project,
    });
    return objectsAt(list, 'clusters');
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Autopilot clusters are regional, so that a zone is a common mistake (get-gke-credentials#253). */
export function notFound({ cluster, location, project }: ClusterName, all: readonly Json[] | undefined): Failure {
  const message = `there is no cluster "${cluster}" in "${location}" of project "${project}"`;
  if (all === undefined) {
    return new Failure(message, {
      hint: 'Check its name and location with "gcloud container clusters list"; a regional cluster is not found by a zone.',
    });
  }
  const found = all.map((one) => ({ name: stringAt(one, 'name') ?? '', location: stringAt(one, 'location') ?? '' }));
  const elsewhere = found.filter(({ name }) => name === cluster).map((one) => `"${one.location}"`);
  if (elsewhere.length > 0) {
    return new Failure(`${message}, but there is one in ${elsewhere.join(' and in ')}`, {
      hint: `Set the input "location" to ${elsewhere.join(' or ')}.`,
    });
  }
  const near = closest(
    cluster,
    found.map(({ name }) => name),
  );
  const there = found.find(({ name }) => name === near);
  if (there !== undefined) {
    return new Failure(message, { hint: `Did you mean "${there.name}" in "${there.location}"?` });
  }
  const listed = found.slice(0, 10).map((one) => `"${one.name}" (${one.location})`);
  const more = found.length > listed.length ? `, and ${found.length - listed.length} more` : '';
  return new Failure(
    `${message}; the project has ${listed.length === 0 ? 'no cluster at all' : `${listed.join(', ')}${more}`}`,
    { hint: 'Check the inputs "cluster", "location" and "project".' },
  );
}
