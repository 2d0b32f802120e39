import { expect, test } from '@jest/globals';

import { isLeft } from '../../../src/report/left-open.ts';
import { failedReport } from '../../../src/report/failure.ts';
import type { UndoReport, UndoResult } from '../../../src/release/undo-report.ts';

const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'shop' };
const ended = failedReport(new Error('no'), 'deploy', 0, false);

function undo(results: UndoResult[], more: Partial<UndoReport> = {}): UndoReport {
  return { complete: true, results, ...more };
}

test.each<[string, UndoReport, boolean]>([
  ['everything is back', undo([{ ref, outcome: 'restored' }]), false],
  [
    'the cluster does not take it back, however often it is asked',
    undo([{ ref, outcome: 'refused', reason: '' }]),
    false,
  ],
  ['something could not be undone now', undo([{ ref, outcome: 'failed', message: '' }]), true],
  ['its journal could not be closed', undo([{ ref, outcome: 'restored' }], { unclosed: true }), true],
])('after an undo, something is left to the post step where %s', (_, report, expected) => {
  expect(isLeft({ ...ended, undo: report }, true)).toBe(expected);
});

test('a run that broke off is looked after when it had begun to change anything', () => {
  expect(isLeft(ended, true)).toBe(true);
  expect(isLeft(ended, false)).toBe(false);
});
