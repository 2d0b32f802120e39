import { expect, test } from '@jest/globals';

import type { Location } from '../../../src/base/errors.ts';
import { tellCuts } from '../../../src/commands/deploy.ts';
import { Report } from '../../../src/report/report.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { deployment } from '../../support/objects.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { manifest } from '../manifests/build.ts';
import { contextOf, options } from './build.ts';

/** What is said of a release with one model server. */
function told(more: Partial<Parameters<typeof tellCuts>[1]> = {}): [string, Location | undefined][] {
  const lines: [string, Location | undefined][] = [];
  const warning = (text: string, location?: Location) => void lines.push([text, location]);
  const context = { ...contextOf(new FakeApi(), 'me'), reporter: { ...silentReporter, warning } };
  const report = new Report(context, 'deploy', options);
  const pod = { terminationGracePeriodSeconds: 60 };
  const manifests = [manifest({ ...deployment('llm', { image: 'ollama/ollama', pod }) })];
  const given = { strategy: 'rolling', longestRequestMs: 90_000, autoPromote: true, keepOldForMs: 60_000 } as const;
  tellCuts({ manifests }, { ...given, ...more }, report);
  tellCuts({ manifests }, { ...given, ...more }, report);
  return lines;
}

const pods =
  'Deployment "llm": a terminating pod is killed after 60 s, which cuts requests of up to 1m30s: set "terminationGracePeriodSeconds: 90" in its pod template';
const sides =
  '"keep-old-for: 1m" removes the old side while it may still answer requests of up to 1m30s, which then have only its grace period: set "keep-old-for: 90s"';

test('what would cut the longest request is told once, with its place in the manifest', () => {
  expect(told()).toEqual([[pods, expect.objectContaining({ file: 'test.yaml' })]]);
  expect(told({ longestRequestMs: 60_000 })).toEqual([]);
});

test('how long the old side is kept counts where this run switches', () => {
  expect(told({ strategy: 'blue-green' }).map(([text]) => text)).toEqual([pods, sides]);
  expect(told({ strategy: 'blue-green', autoPromote: false }).map(([text]) => text)).toEqual([pods]);
  expect(told({ strategy: 'canary' }).map(([text]) => text)).toEqual([pods]);
});
