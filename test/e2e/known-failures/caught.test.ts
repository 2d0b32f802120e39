import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Load } from '../../support/load.ts';
import { shareOf } from '../../support/share.ts';
import { app, image, Stage, uids } from '../../support/strategy-stage.ts';

interface Fault {
  name: string;
  /** Switches of the sample server. */
  env: Record<string, string>;
  verify: string;
  timeout: string;
  /** The cause as a user reads it. */
  cause: RegExp;
}

const faults: Fault[] = [
  {
    name: 'never gets ready',
    env: { NEVER_READY: 'true' },
    verify: '',
    timeout: '20s',
    cause: /not ready/,
  },
  {
    name: 'answers one of twenty requests with 500',
    env: { ERROR_RATE: '0.05' },
    verify: '- path: /version\n  max-error-rate: 1%',
    timeout: '60s',
    cause:
      /check "\/version".*\d+ of \d+ requests failed \(more than the 1 % allowed, with 99 % confidence\).*answered 500/,
  },
  {
    name: 'is slow',
    env: { LATENCY: '400ms' },
    verify: '- path: /version\n  max-p95: 200ms',
    timeout: '60s',
    cause: /check "\/version".*p95 is \d+ ms; the limit is \d+ ms, the stable version has \d+ ms/,
  },
];

describe.each(['canary', 'blue-green'] as const)('%s: a candidate that', (strategy) => {
  const own = shareOf(faults, ({ name }) => `${strategy} ${name}`);
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open(strategy);
    await stage.given('web', app('web', '1.0.0'));
  });

  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });

  test.each(own)('$name is caught, and what serves is untouched', async ({ env, verify, timeout, cause }) => {
    const [stable, selector] = [await stage.pods('app=web'), await stage.selectorOf('web')];
    const load = new Load(await stage.urlOf('web'), 40);
    const result = await stage.deploy('web', app('web', '2.0.0', { env }), { verify, timeout });
    const during = await load.stop();

    expect(result.exit).toBe(1);
    expect(result.outputs['status']).toBe('undone');
    const failure = JSON.parse(result.outputs['failure'] ?? '{}') as { message: string };
    expect(failure.message).toMatch(cause);
    const annotation = result.log.split('\n').find((line) => line.startsWith('::error'));
    expect(annotation?.replaceAll('%25', '%')).toMatch(cause);
    expect(result.summary).toMatch(cause);

    expect(uids(await stage.pods('app=web'))).toEqual(uids(stable));
    expect(await stage.endpoints('web')).toEqual(stable.map(({ metadata }) => metadata.name).sort());
    expect(await stage.selectorOf('web')).toEqual(selector);
    expect(await stage.imageOf('web')).toBe(image('1.0.0'));
    for (const candidate of ['web-canary', 'web-green']) {
      expect(await stage.exists('deployment', candidate)).toBe(false);
    }

    // A candidate that gets ready serves as a canary and never as green; one that does not, never at all.
    const isTried = strategy === 'canary' && env['NEVER_READY'] === undefined;
    const versions = new Set([...during.answers.keys()].map((answer) => answer.split(' ')[1]));
    expect([...versions].sort()).toEqual(isTried ? ['1.0.0', '2.0.0'] : ['1.0.0']);
    expect(Object.fromEntries(during.lost)).toEqual({});
  });
});
