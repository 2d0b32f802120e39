import { expect, test } from '@jest/globals';

import { asShown } from '../../../script/demonstration/as-shown.ts';

test.each([
  ['a line of the log', 'a line of the log'],
  ['::group::Apply 3 objects', '▼ Apply 3 objects'],
  ['::endgroup::', undefined],
  ['::add-mask::s3cret', undefined],
  ['::debug::GET /api', undefined],
  ['::warning title=gke-rollout::100%25 of%0Atwo lines', 'Warning: 100% of\ntwo lines'],
  ['::error title=gke-rollout,file=web.yaml,line=7,col=3::unknown field', 'Error: web.yaml:7: unknown field'],
  ['::error file=a%2Cb.yaml::no such file', 'Error: a,b.yaml: no such file'],
])('the demo shows %j as %j', (line, shown) => {
  expect(asShown(line)).toBe(shown);
});
