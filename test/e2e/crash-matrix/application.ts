import { deployment, relabelled, service } from '../../support/objects.ts';

export type Version = 'one' | 'two';

export const imageOf: Record<Version, string> = { one: 'registry.test/ctwoc:1.0.0', two: 'registry.test/ctwoc:2.0.0' };

/**
 * Config in a map, in a Secret and in a variable, a Service, two Deployments. Of one version and the other, fields are
 * replaced, removed and added, and the second one brings an object of its own.
 */
export function application(version: Version, replicas = 1): object[] {
  const isOne = version === 'one';
  const labels = isOne ? { kept: 'yes', old: 'yes' } : { kept: 'yes', new: 'yes' };
  const volumes = [{ name: 'config', configMap: { name: 'config' } }];
  const web = deployment('web', {
    image: imageOf[version],
    replicas,
    pod: { volumes, terminationGracePeriodSeconds: 2 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/frontend' }],
  });
  const [container] = web.spec.template.spec.containers;
  Object.assign(container ?? {}, {
    env: [
      { name: 'ROLE', value: 'frontend' },
      { name: 'SHUTDOWN_DELAY', value: '0.1s' },
      { name: 'GREETING', valueFrom: { secretKeyRef: { name: 'secret', key: 'greeting' } } },
      { name: `GREETING_${version.toUpperCase()}`, value: version },
    ],
  });
  const workerEnv: Record<string, string> = isOne ? { A: '1', B: '1' } : { A: '2', C: '2' };
  const worker = deployment('worker', {
    image: imageOf[version],
    env: workerEnv,
    pod: { terminationGracePeriodSeconds: 2 },
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'config', labels },
      data: { 'frontend.conf': `# ${version}\n`, [version]: 'only here' },
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'secret' }, stringData: { greeting: version } },
    { ...web, metadata: { name: 'web', labels } },
    worker,
    service('web', { ports: [{ name: 'http', port: isOne ? 8001 : 8002, targetPort: 8080 }] }),
    ...(isOne ? [] : [extra]),
  ];
}

/** The files of a checkout. */
export type Files = Readonly<Record<string, readonly object[]>>;

/** All in one file: what strategies need beside it they make themselves. */
export function inOneFile(version: Version): Files {
  return { 'app.yaml': application(version) };
}

/** One of two sides of the user's own: the first version is blue, the second one green. */
export function asOwnSide(version: Version): Files {
  const side = version === 'one' ? 'blue' : 'green';
  const labels = { app: 'web', version: side };
  const objects = application(version) as ReturnType<typeof deployment>[];
  const isWeb = ({ kind, metadata }: (typeof objects)[number]) => kind === 'Deployment' && metadata.name === 'web';
  const web = objects.filter(isWeb).map((made) => relabelled(made, `web-${side}`, labels));
  const others = objects
    .filter((object) => !isWeb(object))
    .map((object) => (object.kind === 'Service' ? { ...object, spec: { ...object.spec, selector: labels } } : object));
  return { [`web-${side}.yaml`]: web, 'app.yaml': others };
}

/** Only the second version has it. */
const extra = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extra' }, data: { a: '1' } };

/** Has nothing to do with the application: a deploy of it alone shows what a dead run has left behind. */
export const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' }, data: { a: '1' } };
