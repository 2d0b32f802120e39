import { expect, test } from '@jest/globals';

import { WaitLog } from '../../../src/rollout/wait-log.ts';
import { refOf } from '../../../src/kubernetes/object.ts';
import { custom } from '../../support/custom-resource.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { silentReporter } from '../../support/silent-reporter.ts';

test('what has been told as trouble is told once more when it is final', () => {
  const lines: string[] = [];
  const reporter = { ...silentReporter, info: (line: string) => lines.push(line) };
  const log = new WaitLog({ reporter, clock: new FakeClock() });
  const object = custom('cert-manager.io/v1', 'Certificate');
  const cause = { reason: 'Failed', message: 'Certificate "web": refused', object: refOf(object) };
  const progressing = { state: 'progressing' as const, message: 'refused' };
  log.state({ object, changed: true, decision: { verdict: progressing, suspicion: cause } });
  log.state({ object, changed: true, decision: { verdict: { state: 'failed', cause } } });
  log.state({ object, changed: true, decision: { verdict: { state: 'failed', cause } } }, true);
  expect(lines).toEqual(['Certificate "web": refused', '✗ Certificate "web": refused']);
});
