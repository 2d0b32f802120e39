/** Builders of manifests for the sample server; each is valid as it is, and `spec` parts can be replaced. */

interface ContainerOptions {
  image?: string;
  env?: Record<string, string>;
  [field: string]: unknown;
}

export const sampleImage = 'registry.test/ctwoc:1.0.0';

export function container({ image = sampleImage, env = {}, ...more }: ContainerOptions = {}) {
  return {
    name: 'web',
    image,
    env: Object.entries({ SHUTDOWN_DELAY: '0.1s', ...env }).map(([name, value]) => ({ name, value })),
    readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
    ...more,
  };
}

export function deployment(
  name: string,
  options: ContainerOptions & { replicas?: number; pod?: object; spec?: object } = {},
) {
  const { replicas = 1, pod = {}, spec = {}, ...containerOptions } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [container(containerOptions)], ...pod } },
      ...spec,
    },
  };
}

/** The same Deployment under another name, whose pods have other labels. */
export function relabelled(
  made: ReturnType<typeof deployment>,
  name: string,
  labels: Readonly<Record<string, string>>,
): ReturnType<typeof deployment> {
  const { metadata, spec } = made;
  return {
    ...made,
    metadata: { ...metadata, name },
    spec: {
      ...spec,
      selector: { matchLabels: labels as typeof spec.selector.matchLabels },
      template: { ...spec.template, metadata: { labels: labels as typeof spec.template.metadata.labels } },
    },
  };
}

export function autoscaler(name: string, target = name) {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      minReplicas: 1,
      maxReplicas: 4,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target },
    },
  };
}

export function configMap(name: string, data: Record<string, string>) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

export function service(name: string, spec: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  };
}
