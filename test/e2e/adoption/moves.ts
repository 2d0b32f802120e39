import { stringAt } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { autoscaler, deployment, service } from '../../support/objects.ts';
import { changes } from '../../support/snapshot.ts';
import { image, type Inputs } from '../../support/strategy-stage.ts';
import { endedWith, lacksLabels, missing, serves, stateOf, unlike, type Scene } from './scene.ts';

/** Something that the action does to a release; it answers what is wrong afterwards. */
export interface Move {
  name: string;
  strategy: 'rolling' | 'canary' | 'blue-green';
  /** How it can end, and whether it can be the first thing that the action does. */
  ends: readonly ('success' | 'failure')[];
  times: readonly ('first' | 'later')[];
  inputs?: Inputs;
  /** All objects of the application with this image; those of the manifests by default. */
  made?(container: string): KubernetesObject[];
  manifests?(container: string): KubernetesObject[];
  act(scene: Scene): Promise<string[]>;
}

const always = { ends: ['success', 'failure'], times: ['first', 'later'] } as const;
const half: Inputs = { 'canary-steps': '50' };
const whole: Inputs = { ...half, 'constant-total': 'true' };

export function manifestsOf({ manifests = basic }: Pick<Move, 'manifests'>, container: string): KubernetesObject[] {
  return manifests(container);
}

function basic(container: string): KubernetesObject[] {
  return [deployment('web', { replicas: 2, image: container }), service('web')];
}

function scaled(container: string): KubernetesObject[] {
  return [...basic(container), autoscaler('web')];
}

function onlyDeployment(container: string): KubernetesObject[] {
  return basic(container).filter(({ kind }) => kind === 'Deployment');
}

/** A second Deployment without a Service, which changes last. */
function withWorker(container: string): KubernetesObject[] {
  const app = container === missing ? image('3.0.0') : container;
  return [...basic(app), deployment('worker', { image: container })];
}

function deploy(name: string, more: Omit<Move, 'name' | 'act' | 'ends' | 'times'> & Partial<Move>): Move {
  const move: Move = { name, ...always, ...more, act: async (scene) => await deployed(scene, move) };
  return move;
}

async function deployed(scene: Scene, move: Move): Promise<string[]> {
  const { stage, version, fails, decided } = scene;
  const before = await stateOf(scene);
  const next = version + 1;
  const manifests = manifestsOf(move, fails ? missing : image(`${next}.0.0`));
  const problems = await refused(scene, manifests, move);
  const result = await stage.deploy('web', manifests, { ...move.inputs, ...decided });
  if (fails) {
    problems.push(...endedWith(result, 'undone'), ...(await unlike(scene, before)));
    return [...problems, ...(await serves(scene, version))];
  }
  problems.push(
    ...endedWith(result, 'deployed'),
    ...(await serves(scene, next)),
    ...(await lacksLabels(scene, before)),
  );
  return manifests.some(({ kind }) => kind === 'HorizontalPodAutoscaler')
    ? [...problems, ...(await followed(scene))]
    : problems;
}

/** A first deploy over what another tool has made names it, and how somebody decides. */
async function refused(scene: Scene, manifests: readonly object[], { inputs = {} }: Move): Promise<string[]> {
  const { origin, stage, isLater, fails } = scene;
  if (origin.conflictsWith === undefined || isLater || fails) return [];
  const before = await stateOf(scene);
  const result = await stage.deploy('web', manifests, inputs);
  const said = [`"${origin.conflictsWith}"`, 'force-conflicts'].filter((text) => !result.log.includes(text));
  return [
    ...endedWith(result, 'failed'),
    ...said.map((text) => `the refusal does not name ${text}: ${result.log}`),
    ...(await unlike(scene, before)),
  ];
}

/** The autoscaler looks at the Deployment whose pods serve. */
async function followed({ stage }: Scene): Promise<string[]> {
  const target = stringAt(await stage.read('hpa', 'web'), 'spec', 'scaleTargetRef', 'name') ?? '';
  const replicas = await stage.replicasOf(target);
  return replicas === 2 ? [] : [`the autoscaler looks at ${target}, which has ${replicas ?? 0} replicas`];
}

/** Leaves a candidate waiting. */
async function waits(scene: Scene, { inputs = {} }: Move): Promise<string[]> {
  const { stage, version, decided } = scene;
  const manifests = basic(image(`${version + 1}.0.0`));
  const result = await stage.deploy('web', manifests, { ...inputs, ...decided, 'auto-promote': 'false' });
  return endedWith(result, 'waiting');
}

function promotion(strategy: 'canary' | 'blue-green', name: string, inputs: Inputs): Move {
  const move: Move = {
    name: `promotion of ${name}`,
    strategy,
    ...always,
    inputs,
    act: async (scene) => {
      const { stage, version, fails, decided } = scene;
      const before = await stateOf(scene);
      const problems = await waits(scene, move);
      const candidate = await stateOf(scene);
      const keep: Inputs = strategy === 'blue-green' ? { 'keep-old-for': '0s' } : {};
      const verify = fails ? { verify: '/version contains 9.9.9' } : {};
      const result = await stage.command('web', 'promote', { ...keep, ...decided, ...verify });
      if (!fails) return [...problems, ...endedWith(result, 'deployed'), ...(await serves(scene, version + 1))];
      if (result.exit !== 1) problems.push(`the promotion ended with ${result.exit}: ${result.log}`);
      problems.push(...(await unlike(scene, candidate)));
      const aborted = await stage.command('web', 'abort');
      return [...problems, ...endedWith(aborted, 'aborted'), ...(await unlike(scene, before))];
    },
  };
  return move;
}

function abortion(strategy: 'canary' | 'blue-green', name: string, inputs: Inputs): Move {
  const move: Move = {
    name: `abort of ${name}`,
    strategy,
    ends: ['success'],
    times: always.times,
    inputs,
    act: async (scene) => {
      const before = await stateOf(scene);
      const problems = await waits(scene, move);
      const result = await scene.stage.command('web', 'abort');
      problems.push(...endedWith(result, 'aborted'), ...(await unlike(scene, before)));
      return [...problems, ...(await serves(scene, scene.version))];
    },
  };
  return move;
}

/** A command that makes pods beside the two that are there. A quota lets it fail. */
async function bounded(scene: Scene, work: () => Promise<string[]>): Promise<string[]> {
  const { stage, fails } = scene;
  if (fails) {
    const metadata = { name: 'no-more' };
    await stage.apply([{ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard: { pods: '2' } } }]);
    await stage.kubectl('wait', 'quota/no-more', '--for=jsonpath={.status.used.pods}=2', '--timeout=30s');
  }
  return await work();
}

const rollback: Move = {
  name: 'rollback',
  strategy: 'rolling',
  ...always,
  act: async (scene) => {
    const { stage, origin, version, isLater, decided } = scene;
    const next = basic(image(`${version + 1}.0.0`));
    if (isLater) await stage.given('web', next, decided);
    else {
      await origin.update(
        stage,
        next.filter(({ kind }) => kind === 'Deployment'),
      );
      await stage.kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');
    }
    return await bounded(scene, async () => {
      const before = await stateOf(scene);
      const result = await stage.command('web', 'rollback', isLater ? {} : { workload: 'web' });
      return scene.fails
        ? [...endedWith(result, 'undone'), ...(await unlike(scene, before)), ...(await serves(scene, version + 1))]
        : [
            ...endedWith(result, 'rolled-back'),
            ...(await serves(scene, version)),
            ...(await lacksLabels(scene, before)),
          ];
    });
  },
};

const switchBack: Move = {
  name: 'rollback of blue-green',
  strategy: 'blue-green',
  ends: ['success'],
  times: ['later'],
  act: async (scene) => {
    const { stage, version, decided } = scene;
    await stage.given('web', basic(image(`${version + 1}.0.0`)), decided);
    const result = await stage.command('web', 'rollback', { 'keep-old-for': '0s' });
    return [...endedWith(result, 'rolled-back'), ...(await serves(scene, version))];
  },
};

function scaling(strategy: Move['strategy']): Move {
  return {
    name: `scale of ${strategy}`,
    strategy,
    ends: always.ends,
    times: strategy === 'rolling' ? always.times : ['later'],
    act: async (scene) =>
      await bounded(scene, async () => {
        const before = await stateOf(scene);
        const result = await scene.stage.command('web', 'scale', { replicas: 'web=3' });
        if (scene.fails)
          return [
            ...endedWith(result, 'undone'),
            ...(await unlike(scene, before)),
            ...(await serves(scene, scene.version)),
          ];
        const other = (await differing(scene, before)).filter((line) => !line.includes('replicas'));
        const pods = await scene.stage.endpoints('web');
        return [
          ...endedWith(result, 'scaled'),
          ...other,
          ...(pods.length === 3 ? [] : [`the Service has ${pods.length} pods`]),
          ...(await serves(scene, scene.version)),
        ];
      }),
  };
}

/** One look, where differences are expected. */
async function differing(scene: Scene, before: Awaited<ReturnType<typeof stateOf>>): Promise<string[]> {
  return changes(before, await stateOf(scene));
}

const restart: Move = {
  name: 'restart',
  strategy: 'rolling',
  ...always,
  act: async (scene) =>
    await bounded(scene, async () => {
      const before = await stateOf(scene);
      const result = await scene.stage.command('web', 'restart', { workload: 'web' });
      if (scene.fails)
        return [
          ...endedWith(result, 'undone'),
          ...(await unlike(scene, before)),
          ...(await serves(scene, scene.version)),
        ];
      const other = (await differing(scene, before)).filter((line) => !line.includes('restart'));
      return [...endedWith(result, 'restarted'), ...other, ...(await serves(scene, scene.version))];
    }),
};

const pausing: Move = {
  name: 'pause and resume',
  strategy: 'rolling',
  ends: ['success'],
  times: always.times,
  act: async (scene) => {
    const { stage } = scene;
    const before = await stateOf(scene);
    const paused = await stage.command('web', 'pause', { workload: 'web' });
    const other = (await differing(scene, before)).filter((line) => !line.includes('paused'));
    const resumed = await stage.command('web', 'resume', { workload: 'web' });
    return [
      ...endedWith(paused, 'paused'),
      ...other,
      ...endedWith(resumed, 'resumed'),
      ...(await unlike(scene, before)),
      ...(await serves(scene, scene.version)),
    ];
  },
};

export const moves: readonly Move[] = [
  deploy('rolling', { strategy: 'rolling' }),
  deploy('canary', { strategy: 'canary', inputs: half }),
  deploy('canary with a constant total', { strategy: 'canary', inputs: whole }),
  deploy('blue-green', { strategy: 'blue-green' }),
  deploy('blue-green with an autoscaler', { strategy: 'blue-green', manifests: scaled }),
  deploy('blue-green behind a Service that no manifest has', {
    strategy: 'blue-green',
    made: basic,
    manifests: onlyDeployment,
  }),
  deploy('blue-green that fails after the switch', {
    strategy: 'blue-green',
    ends: ['failure'],
    manifests: withWorker,
  }),
  promotion('canary', 'a canary', half),
  promotion('canary', 'a canary with a constant total', whole),
  promotion('blue-green', 'blue-green', {}),
  abortion('canary', 'a canary', half),
  abortion('canary', 'a canary with a constant total', whole),
  abortion('blue-green', 'blue-green', {}),
  rollback,
  switchBack,
  scaling('rolling'),
  scaling('blue-green'),
  restart,
  pausing,
];
