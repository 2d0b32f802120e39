import { InvalidInput } from '../base/errors.ts';
import type { Resource } from './client.ts';

/**
 * The path of a kind, in a namespace or in all, or of one object of it: `/apis/apps/v1/namespaces/shop/deployments/web`.
 * @throws InvalidInput for a name that would lead to another place
 */
export function pathOf(resource: Resource, namespace: string | undefined, name?: string): string {
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${segment('namespace', namespace)}` : '';
  return `${rootOf(resource)}${scope}/${resource.plural}${name === undefined ? '' : `/${segment('name', name)}`}`;
}

/**
 * What the API server accepts as a name in a path (`IsValidPathSegmentName`, kubernetes/apimachinery pkg/api/validation/path).
 * Without this a DELETE of `""` would delete all objects of the kind, and one of `".."` the namespace.
 */
function segment(what: 'name' | 'namespace', text: string): string {
  if (text === '' || text === '.' || text === '..' || /[/%]/.test(text)) {
    throw new InvalidInput(`"${text}" cannot be the ${what} of an object`, {
      hint: 'Use a name of lower-case letters, digits and "-".',
    });
  }
  return encodeURIComponent(text);
}

/** Where a group and version is served: `/api/v1`, `/apis/apps/v1`. */
export function rootOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}
