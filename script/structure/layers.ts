/** The layers of `src/`, top first: a file may import from its own layer and from those below it, never upwards. */
export const layers = [
  'action',
  'commands',
  'strategies',
  'plan',
  'report',
  'release',
  'apply',
  'capacity',
  'rollout',
  'verify',
  'traffic',
  'preview',
  'manifests',
  'kubernetes',
  'github',
  'google',
  'http',
  'base',
];

/** They stand above all layers. */
export const outlines = ['index.ts', 'main.ts', 'post.ts', 'post-step.ts'];
