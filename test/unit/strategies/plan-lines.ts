import type { Prepared } from '../../../src/apply/prepared.ts';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.ts';
import type { Step } from '../../../src/plan/step.ts';
import { manifestOf } from '../release/build.ts';

/** A Deployment that Services find by `app`. */
export function deployment(name: string, replicas: number, labels: Record<string, string> = {}): KubernetesObject {
  const all = { app: name.replace(/-(canary|green)$/, ''), ...labels };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: {
      replicas,
      selector: { matchLabels: all },
      template: { metadata: { labels: all }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
    },
  };
}

export function service(
  name: string,
  selector: Record<string, string> = { app: name },
  annotations: Record<string, string> = {},
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', annotations, resourceVersion: '7' },
    spec: { selector, ports: [{ port: 80 }] },
  };
}

/** @param live null: there is none yet */
export function compared(object: KubernetesObject, live: KubernetesObject | null = object): Prepared {
  return {
    manifest: manifestOf(object),
    live: live ?? undefined,
    predicted: object,
    change: live === null ? 'created' : 'configured',
    takeover: false,
    warnings: [],
  };
}

/** Each step as one line, in order: `set web.replicas=3 until ready`. */
export function linesOf(steps: readonly Step[]): string[] {
  return steps.map(lineOf);
}

function lineOf(step: Step): string {
  switch (step.do) {
    case 'apply': {
      const beside = step.beside === undefined ? '' : ` beside ${names(step.beside)}`;
      return `apply ${step.objects.map(({ object }) => named(object)).join(' ')}${beside}`;
    }
    case 'set': {
      const fields = step.fields.map(({ of, path, to, at }) => {
        const guard = at === undefined ? '' : ` at ${at}`;
        const field = `${of.name}.${path.at(-1) ?? ''}`;
        return to === undefined ? `${field} not stated${guard}` : `${field}=${short(to)}${guard}`;
      });
      const objects = (step.objects ?? []).map((manifest) => whole(manifest.object));
      return `set ${[...objects, ...fields].join(' ')}${step.until === undefined ? '' : ' until ready'}`;
    }
    case 'route':
      return `route ${names(step.services)}`;
    case 'hold':
      return `hold ${names(step.objects)} for ${step.forMs} ms`;
    case 'check':
      return `check ${names(step.candidates)} ${step.asks}`;
    case 'verify':
      return step.of === 'preview' ? 'verify preview' : `verify ${step.of.candidate.name} at ${step.of.percent ?? '-'}`;
    case 'remove':
      return `remove ${step.objects.map(({ metadata }) => metadata.name).join(' ')}`;
    case 'note':
      return `note ${step.title}`;
  }
}

/** `web×3` of what has pods. */
function named({ kind, metadata, spec }: KubernetesObject): string {
  const { replicas } = (spec ?? {}) as { replicas?: number };
  return `${kind === 'Deployment' ? '' : `${kind}/`}${metadata.name}${replicas === undefined ? '' : `×${replicas}`}`;
}

function whole({ metadata, spec }: KubernetesObject): string {
  const { selector } = (spec ?? {}) as { selector?: Record<string, string> };
  const guard = metadata.resourceVersion === undefined ? '' : ` at ${metadata.resourceVersion}`;
  return `${metadata.name}.selector=${short(selector ?? {})}${guard}`;
}

function short(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(
      ([key, one]) => `${key.replace('gke-rollout/', '')}:${typeof one === 'object' ? `{${short(one)}}` : String(one)}`,
    )
    .join(',');
}

function names(refs: readonly ObjectRef[]): string {
  return refs.map(({ name }) => name).join(' ');
}
