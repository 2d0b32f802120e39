import { gkeInputs, type inputTable } from '../../src/action/input-table.ts';

type Input = keyof typeof inputTable;

/** How docs/inputs.md is divided. What no group has stands at the end, under a title of its own. */
export const inputGroups: readonly { title: string; inputs: readonly Input[] }[] = [
  { title: 'What to do', inputs: ['command', 'strategy'] },
  {
    title: 'What to deploy',
    inputs: ['manifests', 'image-tag', 'images', 'replicas', 'configmaps', 'secrets', 'restart-on-config'],
  },
  {
    title: 'Where to: the cluster',
    inputs: ['kubeconfig', 'context', 'cluster', ...gkeInputs],
  },
  {
    title: 'Where to: namespace and release',
    inputs: ['namespace', 'create-namespace', 'release', 'take-from-release', 'adopt-release'],
  },
  {
    title: 'Canary and blue-green',
    inputs: ['canary-steps', 'step-duration', 'auto-promote', 'constant-total', 'keep-old-for'],
  },
  {
    title: 'Traffic and checks',
    inputs: ['verify', 'longest-request', 'session-affinity', 'session-affinity-services', 'session-affinity-timeout'],
  },
  {
    title: 'Waiting, undo and conflicts',
    inputs: [
      'timeout',
      'no-progress-timeout',
      'unschedulable-grace',
      'await',
      'pause-timeout',
      'on-low-capacity',
      'undo-on-failure',
      'undo-timeout',
      'force-conflicts',
    ],
  },
  {
    title: 'Previews',
    inputs: [
      'pull-request',
      'preview-namespace',
      'preview-host',
      'preview-gpus',
      'preview-ttl',
      'preview-limit',
      'preview-when',
      'preview-keep-label',
      'preview-until',
      'preview-role',
      'forks',
      'copy-secrets',
      'copy-configmaps',
      'namespace-labels',
      'isolation',
      'cluster-scoped',
      'comment',
      'comment-author',
      'teardown',
      'dry-run',
    ],
  },
  { title: 'GitHub', inputs: ['environment', 'github-token'] },
];

export const titleOfOthers = 'Rollback and other commands';
