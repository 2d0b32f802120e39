import { describe, expect, test } from '@jest/globals';

import { Failures } from '../../../src/base/errors.ts';
import { parseChecks } from '../../../src/verify/parse.ts';

/** What is said about an input that is wrong: each problem with its hint. */
function problemsOf(text: string): string[] {
  try {
    parseChecks(text);
  } catch (error) {
    if (!(error instanceof Failures)) throw error;
    return error.all.map(({ message, hint }) => `${message} | ${hint ?? ''}`);
  }
  return [];
}

describe('a check in the short form', () => {
  test('of a path asks the Service of the release for any success', () => {
    expect(parseChecks('/healthz')).toEqual([
      {
        name: '/healthz',
        line: 1,
        target: { kind: 'service', path: '/healthz' },
        eachPod: false,
        method: 'GET',
        headers: {},
        expected: { status: [{ from: 200, to: 299 }], headers: {}, json: [] },
        requests: 20,
        timeoutMs: 10_000,
        shareTolerance: 5,
      },
    ]);
  });

  test('of a URL may say the status', () => {
    expect(parseChecks('https://shop.example.com/health 200,3xx')).toMatchObject([
      {
        target: { kind: 'url', url: 'https://shop.example.com/health' },
        expected: {
          status: [
            { from: 200, to: 200 },
            { from: 300, to: 399 },
          ],
        },
      },
    ]);
  });

  test('of a Service may say its port and a value of the JSON', () => {
    expect(parseChecks('service/ctwoc:80/version json .version == {version}')).toMatchObject([
      {
        name: 'service/ctwoc:80/version json .version == {version}',
        target: { kind: 'service', service: 'ctwoc', port: '80', path: '/version' },
        expected: { json: [{ path: ['version'], value: '{version}' }] },
      },
    ]);
  });

  test('keeps the text of a value as it is written', () => {
    const [quoted, number] = parseChecks('/ json .name == "a b"\n/ json .items[0]["x.y"] == 1.10');
    expect(quoted?.expected.json).toEqual([{ path: ['name'], value: 'a b' }]);
    expect(number?.expected.json).toEqual([{ path: ['items', 0, 'x.y'], value: '1.10' }]);
  });

  test('may ask for a text of the body', () => {
    expect(parseChecks('/version 200 contains 1.2 and more')).toMatchObject([
      { expected: { contains: '1.2 and more' } },
    ]);
  });

  test('knows its line among comments and empty lines', () => {
    expect(parseChecks('# first\n\n/a\n  /b 204\n').map(({ line, name }) => [line, name])).toEqual([
      [3, '/a'],
      [4, '/b 204'],
    ]);
  });
});

describe('a check as a mapping', () => {
  test('has a key for everything', () => {
    const text = `
- /healthz
- name: the model
  service: model
  port: http
  path: /predict?x=1
  via: cluster
  method: PUT
  headers:
    X-Team: shop
  send: '{"inputs": [1]}'
  status: 200
  response-headers:
    Content-Type: application/json
  body:
    contains: outputs
    matches: '"outputs": ?\\['
  json:
    .outputs[0]: 2
    .version: 1.10
  requests: 400
  timeout: 2.5s
  max-error-rate: 1%
  max-p95: 300ms
  version: header:X-Version
  share: 7.5
`;
    const [first, second] = parseChecks(text);
    expect(first).toMatchObject({ name: '/healthz', line: 2 });
    expect(second).toEqual({
      name: 'the model',
      line: 3,
      target: { kind: 'service', service: 'model', port: 'http', path: '/predict?x=1' },
      via: 'cluster',
      eachPod: false,
      method: 'PUT',
      headers: { 'X-Team': 'shop' },
      send: '{"inputs": [1]}',
      expected: {
        status: [{ from: 200, to: 200 }],
        headers: { 'content-type': 'application/json' },
        contains: 'outputs',
        matches: /"outputs": ?\[/u,
        json: [
          { path: ['outputs', 0], value: '2' },
          { path: ['version'], value: '1.10' },
        ],
      },
      requests: 400,
      timeoutMs: 2500,
      maxErrorRate: 0.01,
      maxP95Ms: 300,
      version: { kind: 'header', name: 'x-version' },
      shareTolerance: 7.5,
    });
  });

  test.each([
    ['max-error-rate: 5%', 67],
    ['max-error-rate: 0.01', 339],
    ['max-p95: 1s', 67],
    ['max-p95: 1s\n  max-error-rate: 2%', 169],
  ])('that claims "%s" asks as often as that takes: %p times', (claim, requests) => {
    expect(parseChecks(`- path: /\n  ${claim}`)).toMatchObject([{ requests }]);
  });

  test('of each pod sends what it is given, once', () => {
    expect(parseChecks('- path: /predict\n  pods: each\n  send: x')).toMatchObject([
      { name: 'POST /predict of each pod', eachPod: true, method: 'POST', send: 'x', requests: 1 },
    ]);
  });
});

describe('paths of JSON between braces', () => {
  const jsonOf = (text: string) => parseChecks(text)[0]?.expected.json;

  test.each([
    ['{ .items[0].id: 7 }', [{ path: ['items', 0, 'id'], value: '7' }]],
    ['{.items[0].id: 7}', [{ path: ['items', 0, 'id'], value: '7' }]],
    ['{ [0].id: 7 }', [{ path: [0, 'id'], value: '7' }]],
    [
      '{ .a[0][1]: x, .b: y }',
      [
        { path: ['a', 0, 1], value: 'x' },
        { path: ['b'], value: 'y' },
      ],
    ],
    [
      '{ .a: "x, .b[0]: }", .c["d e"]: 1 }',
      [
        { path: ['a'], value: 'x, .b[0]: }' },
        { path: ['c', 'd e'], value: '1' },
      ],
    ],
    [
      "{ .a[0]: '[1]', '.b[1]': 2 }",
      [
        { path: ['a', 0], value: '[1]' },
        { path: ['b', 1], value: '2' },
      ],
    ],
    [
      '{\n    .a[0]: 1,\n    .b[1]: 2\n    }',
      [
        { path: ['a', 0], value: '1' },
        { path: ['b', 1], value: '2' },
      ],
    ],
  ])('json: %s', (json, rules) => {
    expect(jsonOf(`- path: /x\n  json: ${json}`)).toEqual(rules);
  });

  test('may stand in a check between braces', () => {
    expect(jsonOf('- { path: /x, json: { .items[0].id: 7 } }')).toEqual([{ path: ['items', 0, 'id'], value: '7' }]);
  });

  test('keep the lines of what comes after them', () => {
    expect(problemsOf('- path: /x\n  json: { .a[0]: 1 }\n- maxp95: 1s\n  path: /y')[0]).toContain(
      'line 3 of the input',
    );
  });

  test('leave a body that looks like them as it is', () => {
    const text = '- path: /x\n  send: |\n    json: { .a[0]: 1 }\n  status: 200';
    expect(parseChecks(text)).toMatchObject([{ send: 'json: { .a[0]: 1 }' }]);
  });

  test('leave other mistakes to be told as they were written', () => {
    expect(problemsOf('- path: /x\n  json: { .a[0]: 1 }\n  path: /y')[0]).toContain('it is not valid YAML');
  });
});

describe('an input that is wrong', () => {
  test.each([
    ['healthz', 'line 1 of the input "verify": "healthz" is not something to request | Start with a path'],
    ['/a\n/b 200 json', 'line 2 of the input "verify": "/b 200 json" is not a check'],
    [
      '/a json version == 1',
      'line 1 of the input "verify": "version" is not a valid path | Write it like ".items[0].name".',
    ],
    ['service//x', '"service" is "", which is not the name of a Service'],
    ['service/web:99999/x', '"port" is "99999", which is not the number or name of a port'],
    ['/a/../../secrets', '"path" is "/a/../../secrets", which is not a path'],
    ['/a/%2e%2E/secrets', 'which is not a path'],
    ['- path: /a\n  maxp95: 1s', 'line 2 of the input "verify": there is no key "maxp95" | Did you mean "max-p95"?'],
    ['- path: /a\n\n  max-p95: 300', 'line 3 of the input "verify": "max-p95" is "300", which is not a duration'],
    ['- path: /a\n  max-error-rate: 0%', '"max-error-rate" is "0%", which is not a rate above 0'],
    ['- path: /a\n  max-error-rate: 0.001%', 'it takes 340504 requests to show so low a rate'],
    ['- path: /a\n  status: 2000', '"status" is "2000", which is not a status'],
    ['- path: /a\n  via: ingress', '"via" is "ingress", which is not one of "address", "cluster", "proxy"'],
    ['- path: /a\n  url: https://x.test/', '"path" has no effect beside "url"'],
    ['- url: ftp://x.test/', '"url" is "ftp://x.test/", which is not a URL'],
    ['- status: 200', 'line 1 of the input "verify": it has nothing to request'],
    ['- path: /a\n  share: 5', 'a share cannot be measured without "version"'],
    ['- path: /a\n  version: X-Version', '"version" is "X-Version", which is not a place'],
    ['- path: /a\n  send: x\n  method: GET', 'a GET sends nothing'],
    ['- path: /a\n  pods: each\n  requests: 5', '"requests" has no effect with "pods: each"'],
    ['- path: /a\n  pods: some', '"pods" is "some", which is not "each"'],
    ['- path: /a\n  headers: X', '"headers" must be a mapping'],
    ['- path: /a\n  body:\n    has: x', 'there is no "has" of "body"'],
    ['- path: /a\n  body:\n    matches: "("', '"(" is not a valid regular expression'],
    ['- path: [a]', '"path" must not be a list'],
    ['- path: /a\n  path: /b', 'it is not valid YAML'],
    ['- path: "/a', 'it is not valid YAML'],
    ['- [/a]', 'it is not a check'],
  ])('such as %j is named: %s', (text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });

  test('that asks too few times for what it claims is told how many it takes', () => {
    expect(problemsOf('- path: /a\n  requests: 20\n  max-error-rate: 1%')).toEqual([
      'line 2 of the input "verify": 20 requests are too few to prove it: it takes 339 | Set "requests" to at least 339, or leave it out.',
    ]);
  });

  test('is told everything at once', () => {
    expect(problemsOf('- path: a\n  via: x\n- status: 1')).toHaveLength(4);
  });
});
