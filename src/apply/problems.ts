import { Failure, messageOf, type Location } from '../base/errors.ts';
import type { Path } from '../base/json.ts';
import { closest } from '../base/similar.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ApiError, conflictingManager, strictDecodingProblems } from '../kubernetes/errors.ts';
import { parseFieldPath } from '../kubernetes/field-path.ts';
import { describeRef, refOf } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { fieldManager } from './field-manager.ts';

/** A webhook that has side effects refuses every dry run of what it is asked about: that says nothing about the object. */
export function cannotBeTried(error: unknown): boolean {
  return error instanceof ApiError && error.status === 400 && error.serverMessage.includes('does not support dry run');
}

/** What the server has against a manifest, one Failure for each field, at the line where it stands. */
export async function problemsOfRefusal(
  client: KubernetesClient,
  manifest: Manifest,
  error: unknown,
): Promise<Failure[]> {
  const { object, source } = manifest;
  const name = describeRef(refOf(object));
  if (!(error instanceof ApiError)) {
    if (!(error instanceof Failure)) throw error;
    return [failureAt(error.message, source.locate([]), error.hint, error)];
  }
  const unknown = error.status === 400 ? await allDecodingProblems(client, manifest, error) : [];
  if (unknown.length > 0) {
    return await Promise.all(
      unknown.map(async ({ kind, field }) => {
        const path = parseFieldPath(field, object);
        if (kind === 'duplicate') {
          return failureAt(`${name} has the field "${field}" twice`, source.locate(path), 'Remove one of them.', error);
        }
        return await unknownField(client, manifest, field, path, error);
      }),
    );
  }
  if (error.isFieldManagerConflict) {
    return error.causes.map(({ field, ...cause }) =>
      failureAt(
        `${name}: the field ${field} belongs to the field manager "${conflictingManager({ field, ...cause })}"`,
        source.locate(parseFieldPath(field, object)),
        'Remove it from the manifest, or take it over with "force-conflicts: true".',
        error,
      ),
    );
  }
  if (error.causes.length > 0 && error.status === 422) {
    return error.causes.map(({ field, message }) =>
      failureAt(
        `${name}: ${field}: ${message}`,
        source.locate(parseFieldPath(field, object)),
        field === 'spec.strategy.rollingUpdate' ? strategyHint(object.metadata.name) : error.hint,
        error,
      ),
    );
  }
  return [failureAt(messageOf(error), source.locate([]), error.hint, error)];
}

/** An apply names the first such field only; a create, which nobody needs to succeed, names all of them. */
async function allDecodingProblems(client: KubernetesClient, { object }: Manifest, error: ApiError) {
  const first = strictDecodingProblems(error.serverMessage);
  if (first.length === 0) return first;
  const refusal: unknown = await client
    .create(object, { fieldManager, dryRun: true })
    .catch((reason: unknown) => reason);
  const all = refusal instanceof ApiError ? strictDecodingProblems(refusal.serverMessage) : [];
  return all.length > first.length ? all : first;
}

/** The server's defaults of the old strategy stand in the way, and an apply cannot name them (kubernetes/kubernetes#24198). */
function strategyHint(name: string): string {
  const patch = '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}';
  return `Change the strategy once by hand, then run it again: kubectl patch deployment ${name} --type=merge -p '${patch}'`;
}

async function unknownField(
  client: KubernetesClient,
  { object, source }: Manifest,
  field: string,
  path: Path,
  cause: unknown,
): Promise<Failure> {
  const documentation = await client.explain(object.apiVersion, object.kind, path);
  const siblings = documentation?.siblings ?? [];
  const near = closest(String(path.at(-1)), siblings);
  const parts = [`${describeRef(refOf(object))} has the unknown field "${field}"`];
  if (near !== undefined) {
    const meant = await client.explain(object.apiVersion, object.kind, [...path.slice(0, -1), near]);
    const description = meant?.description === undefined || meant.description === '' ? '' : `: ${meant.description}`;
    parts.push(`"${near}" is <${meant?.type ?? ''}>${description}`);
  }
  const hint =
    near !== undefined
      ? `Did you mean "${near}"?`
      : siblings.length > 0
        ? `Known fields are: ${siblings.slice(0, 30).join(', ')}.`
        : 'Fix or remove it.';
  return failureAt(parts.join('; '), source.locate(path), hint, cause);
}

function failureAt(message: string, location: Location, hint: string | undefined, cause: unknown): Failure {
  return new Failure(message, { location, cause, ...(hint === undefined ? {} : { hint }) });
}
