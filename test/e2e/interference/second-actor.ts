import type { Stage } from '../../support/strategy-stage.ts';
import { application, type Content } from '../truth/sequences/application.ts';

/** What somebody with kubectl does while a deploy is under way. */
export interface Interference {
  name: string;
  act(stage: Stage, before: Content): Promise<unknown>;
}

const web = 'deployment/web';

export const interferences: readonly Interference[] = [
  { name: 'rolls the Deployment back', act: (stage) => stage.kubectl('rollout', 'undo', web) },
  { name: 'applies the old manifests', act: (stage, before) => stage.apply(application(before)) },
  {
    name: 'sets another image',
    act: (stage) => stage.kubectl('set', 'image', web, 'web=registry.test/ctwoc:3.0.0'),
  },
  {
    name: 'overwrites a variable',
    act: (stage) => stage.kubectl('set', 'env', web, 'GREETING=by-hand', '--overwrite'),
  },
  { name: 'adds a variable', act: (stage) => stage.kubectl('set', 'env', web, 'OTHER=by-hand') },
  { name: 'scales to nothing', act: (stage) => stage.kubectl('scale', web, '--replicas=0') },
  { name: 'scales up', act: (stage) => stage.kubectl('scale', web, '--replicas=3') },
  { name: 'restarts the Deployment', act: (stage) => stage.kubectl('rollout', 'restart', web) },
  {
    name: 'pauses the rollout and resumes it',
    act: async (stage) => {
      await stage.kubectl('rollout', 'pause', web);
      await stage.kubectl('rollout', 'resume', web);
    },
  },
  { name: 'deletes the Deployment', act: (stage) => stage.kubectl('delete', web, '--wait=false') },
  { name: 'deletes all pods', act: (stage) => stage.kubectl('delete', 'pods', '-l', 'app=web', '--wait=false') },
  { name: 'deletes the Service', act: (stage) => stage.kubectl('delete', 'service', 'web', '--wait=false') },
  {
    name: 'sends the Service elsewhere',
    act: (stage) => stage.patch('service', 'web', { spec: { selector: { app: 'nobody' } } }),
  },
  {
    name: 'edits the config',
    act: (stage) => stage.patch('configmap', 'settings', { data: { greeting: 'by hand' } }),
  },
  { name: 'labels the Deployment', act: (stage) => stage.kubectl('label', web, 'team=web', '--overwrite') },
];
