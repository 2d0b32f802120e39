import { changeInputs, type OptionsOf } from '../command.ts';
import { objectInputs } from '../load-manifests.ts';

/** Which preview is meant, and whether there is to be one. */
export const whichInputs = ['pull-request', 'preview-namespace', 'preview-when', 'preview-until', 'forks'] as const;

/** Where a preview goes, and how. */
const placeInputs = [
  'preview-host',
  'preview-gpus',
  'preview-ttl',
  'preview-limit',
  'preview-keep-label',
  'preview-role',
  'copy-secrets',
  'copy-configmaps',
  'namespace-labels',
  'isolation',
  'cluster-scoped',
] as const;

/** What GitHub is told. */
const tellingInputs = ['comment', 'comment-author'] as const;

export const previewInputs = [
  ...objectInputs,
  ...changeInputs,
  'await',
  ...whichInputs,
  ...placeInputs,
  ...tellingInputs,
  'restart-on-config',
  'force-conflicts',
  'verify',
] as const;

export const teardownInputs = [
  ...whichInputs,
  ...tellingInputs,
  'teardown',
  'dry-run',
  'preview-keep-label',
  'timeout',
  'environment',
] as const;

export type WhichOptions = OptionsOf<(typeof whichInputs)[number]>;
export type PreviewOptions = OptionsOf<(typeof previewInputs)[number]>;
export type TeardownOptions = OptionsOf<(typeof teardownInputs)[number]>;
