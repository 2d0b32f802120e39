import { configMap, deployment, service } from '../../../support/objects.ts';
import { image } from '../../../support/strategy-stage.ts';

export const versions = ['1.0.0', '2.0.0', '3.0.0'] as const;
export const greetings = ['hello', 'servus', 'moin'] as const;

/** What a pod can be asked for: its version, and a setting that it has read at its start. */
export interface Content {
  version: (typeof versions)[number];
  greeting: string;
}

/** Ways in which no pod comes up, each named by the cluster within seconds. */
export const faults = {
  'an image that may not be pulled': { image: 'registry.test/pulled/ctwoc:9.9.9', imagePullPolicy: 'Never' },
  'a program that is not there': { command: ['gunicorn'] },
  'a ConfigMap that is not there': { envFrom: [{ configMapRef: { name: 'nobodys' } }] },
} as const;

export type Fault = keyof typeof faults;

export const replicas = 2;

/** A Deployment with a setting from a ConfigMap, and its Service. */
export function application({ version, greeting }: Content, fault?: Fault): object[] {
  const env = [
    { name: 'SHUTDOWN_DELAY', value: '0.1s' },
    { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'greeting' } } },
  ];
  const more = fault === undefined ? {} : faults[fault];
  const web = deployment('web', {
    replicas,
    image: image(version),
    pod: { terminationGracePeriodSeconds: 2 },
    ...more,
  });
  const [container] = web.spec.template.spec.containers;
  Object.assign(container ?? {}, { env });
  return [configMap('settings', { greeting }), web, service('web')];
}

/** `2.0.0 moin`, as the witness writes it. */
export function textOf({ version, greeting }: Content): string {
  return `${version} ${greeting}`;
}
