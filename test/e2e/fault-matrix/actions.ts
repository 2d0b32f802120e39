import type { deployment } from '../../support/objects.ts';
import type { Phase } from '../../support/phases.ts';
import { application } from '../crash-matrix/application.ts';
import { promotion, update, type Run, type Scenario } from '../crash-matrix/scenarios.ts';

export type Strategy = 'rolling' | 'canary' | 'blue-green';

export const strategies: Readonly<Record<Strategy, Record<string, string>>> = {
  rolling: {},
  canary: { strategy: 'canary', 'canary-steps': '50', 'step-duration': '1s' },
  'blue-green': { strategy: 'blue-green', 'keep-old-for': '0s' },
};

/** What is tried: a run, what there is before it, and what it may leave. */
export interface Action {
  name: 'a deploy' | 'a deploy that fails' | 'a promotion' | 'a rollback';
  scenario: Scenario;
  /** The next run after it, and what that ends in. */
  next: Run;
  /** What the next run may say when it finds nothing to do. */
  mayRefuse?: RegExp;
  /** It never succeeds by itself: what it changes, it undoes. */
  fails?: true;
  /** Where a fault can begin. */
  phases: readonly Phase[];
}

const all: readonly Phase[] = [
  'connect',
  'preflight',
  'lock',
  'record',
  'write 1',
  'write 3',
  'wait',
  'live',
  'close',
  'unlock',
];

export function actionsOf(strategy: Strategy): Action[] {
  const inputs = strategies[strategy];
  const good = update(inputs);
  const promote = promotion(inputs);
  const bad: Run = { inputs, files: { 'app.yaml': neverReady() } };
  const rollback: Run = { inputs: { command: 'rollback', prune: 'true' } };
  return [
    { name: 'a deploy', scenario: good, next: good.killed, phases: all },
    {
      name: 'a deploy that fails',
      scenario: { ...good, name: 'a deploy that fails', killed: bad },
      next: good.killed,
      fails: true,
      phases: [...all.filter((phase) => phase !== 'live'), 'undo'],
    },
    ...(strategy === 'rolling'
      ? []
      : [
          {
            name: 'a promotion' as const,
            scenario: promote,
            next: promote.killed,
            mayRefuse: /there is no candidate of release/,
            phases: all.filter((phase) => phase !== 'write 3'),
          },
        ]),
    {
      name: 'a rollback',
      scenario: {
        ...good,
        name: 'a rollback',
        before: [...good.before, good.killed],
        killed: rollback,
        from: 'two',
        to: 'one',
      },
      next: rollback,
      mayRefuse: /has no earlier revision that was live/,
      phases: all,
    },
  ];
}

/** The second version, whose frontend never gets ready. */
function neverReady(): object[] {
  return application('two').map((object) => {
    const made = object as ReturnType<typeof deployment>;
    if (made.kind !== 'Deployment' || made.metadata.name !== 'web') return object;
    const copy = structuredClone(made);
    copy.spec.template.spec.containers[0]?.env.push({ name: 'NEVER_READY', value: 'true' });
    return copy;
  });
}
