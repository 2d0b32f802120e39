import { InvalidInput } from '../../base/errors.ts';
import { isStatus } from '../../kubernetes/errors.ts';
import { describeRef, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import { secretsOf } from '../../kubernetes/secret-values.ts';
import { manifestFrom, type Manifest } from '../../manifests/manifest.ts';
import type { Context } from '../../release/context.ts';

/** On a copy: `NAMESPACE.NAME` of what it was copied from. */
const copiedFrom = 'gke-rollout/copied-from';

interface CopyInputs {
  copySecrets: readonly string[];
  copyConfigmaps: readonly string[];
}

/**
 * Copies of what the lines name, for a namespace: names, types and values, and nothing of who owns them where they come from. Values
 * are masked before anything else happens.
 * @throws InvalidInput for a line that cannot be read, and for what is not there
 */
export async function copiesFor(
  { client, reporter }: Pick<Context, 'client' | 'reporter'>,
  { copySecrets, copyConfigmaps }: CopyInputs,
  namespace: string,
): Promise<Manifest[]> {
  const wanted = [
    ...copySecrets.map((line) => copyOf(line, 'copy-secrets', 'Secret')),
    ...copyConfigmaps.map((line) => copyOf(line, 'copy-configmaps', 'ConfigMap')),
  ];
  return await Promise.all(
    wanted.map(async ({ from, as, input }) => {
      const found = await readSource(client, from, input);
      for (const secret of secretsOf(found)) reporter.mask(secret);
      reporter.info(`${describeRef(from, true)} is copied as "${as}"`);
      return manifestFrom(copied(found, as, namespace), `the input "${input}"`);
    }),
  );
}

interface Copy {
  from: ObjectRef & { namespace: string };
  as: string;
  input: string;
}

/** `staging/app-config as app` */
function copyOf(line: string, input: string, kind: 'Secret' | 'ConfigMap'): Copy {
  const match =
    /^(?<namespace>[a-z0-9][a-z0-9-]*)\/(?<name>[a-z0-9][a-z0-9.-]*)(?:\s+as\s+(?<as>[a-z0-9][a-z0-9.-]*))?$/.exec(
      line,
    )?.groups;
  const { namespace, name, as } = match ?? {};
  if (namespace === undefined || name === undefined) {
    throw new InvalidInput(`the input "${input}" has "${line}", which is not valid`, {
      hint: 'Use NAMESPACE/NAME, or NAMESPACE/NAME as OTHER.',
    });
  }
  return { from: { apiVersion: 'v1', kind, namespace, name }, as: as ?? name, input };
}

async function readSource(client: Context['client'], from: Copy['from'], input: string): Promise<KubernetesObject> {
  const found = await client.read(from).catch((error: unknown) => {
    if (!isStatus(error, 403)) throw error;
    throw new InvalidInput(`${describeRef(from, true)} has to be copied, but this run is not allowed to read it`, {
      hint: `Grant "get" on this one in a Role of namespace "${from.namespace}", with its name under resourceNames.`,
    });
  });
  if (found !== undefined) return found;
  throw new InvalidInput(`there is no ${describeRef(from, true)} to copy`, { hint: `Fix the input "${input}".` });
}

function copied(found: KubernetesObject, name: string, namespace: string): KubernetesObject {
  const { apiVersion, kind, metadata, type, data, binaryData, immutable } = found;
  const source = `${metadata.namespace ?? ''}.${metadata.name}`;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, annotations: { [copiedFrom]: source } },
    ...(type === undefined ? {} : { type }),
    ...(data === undefined ? {} : { data }),
    ...(binaryData === undefined ? {} : { binaryData }),
    ...(immutable === undefined ? {} : { immutable }),
  };
}
