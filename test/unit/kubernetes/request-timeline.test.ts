import { describe, expect, test } from '@jest/globals';

import { countRounds, roundsOf, timelineText, type TimedRequest } from '../../../src/kubernetes/request-timeline.ts';

function request(startedAt: number, endedAt: number, more: Partial<TimedRequest> = {}): TimedRequest {
  return { verb: 'GET', path: '/api', isDryRun: false, startedAt, endedAt, status: 200, ...more };
}

describe('rounds', () => {
  test('there are none without a request', () => {
    expect(countRounds([])).toBe(0);
  });

  test('requests that overlap are one round', () => {
    expect(roundsOf([request(0, 10), request(1, 12), request(9, 20)])).toEqual([1, 1, 1]);
  });

  test('a request that begins when another has ended is in the round after it', () => {
    expect(roundsOf([request(0, 10), request(10, 20), request(20, 30)])).toEqual([1, 2, 3]);
  });

  test('what is short beside something long makes rounds of its own', () => {
    expect(roundsOf([request(0, 100), request(0, 5), request(6, 9), request(10, 12)])).toEqual([1, 1, 2, 3]);
  });

  test('the longest chain counts, in whatever order they are given', () => {
    const all = [request(30, 40), request(0, 10), request(12, 20), request(0, 50), request(51, 60)];
    expect(roundsOf(all)).toEqual([3, 1, 2, 1, 4]);
    expect(countRounds(all)).toBe(4);
  });

  test('as many as there are requests cost no more than sorting them', () => {
    const all = Array.from({ length: 50_000 }, (_, index) => request(index, index + 1));
    expect(countRounds(all)).toBe(50_000);
  });
});

describe('the text of a timeline', () => {
  test('says when each request began, how long it took, its round, and how many others it overlaps', () => {
    const shop = '/apis/apps/v1/namespaces/shop/deployments';
    const lines = timelineText(
      [
        request(1000, 1010),
        request(1020.4, 1050, { path: `${shop}/web`, status: 404 }),
        request(1021, 1040, { verb: 'PATCH', path: `${shop}/web`, isDryRun: true }),
        request(1060, 1070, { verb: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews' }),
        request(1080, 2080, { verb: 'WATCH', path: shop, status: undefined }),
      ],
      { from: 900, marks: [{ at: 1055, text: 'manifests are valid' }] },
    );
    expect(lines).toEqual([
      'requests: 5 in 4 rounds (start and duration in ms)',
      '   100      10  round  1  alone      GET /api',
      '   120      30  round  2  beside 1   GET deployments/web -n shop, 404',
      '   121      19  round  2  beside 1   PATCH deployments/web -n shop (dry run)',
      '   155  -- manifests are valid (2 rounds from here)',
      '   160      10  round  3  alone      POST selfsubjectrulesreviews',
      '   180    1000  round  4  alone      WATCH deployments -n shop, no answer',
    ]);
  });

  test('has neither queries nor what is asked of an application', () => {
    const path = '/api/v1/namespaces/shop/services/http:web:80/proxy/token/s3cr3t?key=s3cr3t';
    const asked = [request(0, 1, { path }), request(2, 3, { path: '/version?key=s3cr3t' })];
    expect(timelineText(asked, { from: 0 })).toEqual([
      'requests: 2 in 2 rounds (start and duration in ms)',
      '     0       1  round  1  alone      GET services/http:web:80/proxy/… -n shop',
      '     2       1  round  2  alone      GET /version',
    ]);
  });

  test('cuts long paths', () => {
    const [, line = ''] = timelineText([request(0, 1, { path: `/openapi/v3/${'a'.repeat(200)}` })], { from: 0 });
    expect(line).toMatch(/ GET \/openapi\/v3\/a+…$/);
    expect(line.length).toBeLessThan(130);
  });
});
