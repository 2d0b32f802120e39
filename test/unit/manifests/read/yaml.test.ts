import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../../src/base/errors.ts';
import { at, type Json } from '../../../../src/base/json.ts';
import { parseManifests } from '../../../../src/manifests/read/yaml.ts';
import { problemsIn, thrownBy } from '../build.ts';

const caseFile = (name: string) => readFileSync(join(import.meta.dirname, '../cases', name), 'utf8');

const configMap = (body: string) => `apiVersion: example.test/v1\nkind: Sample\nmetadata: {name: s}\n${body}`;

function valueOf(text: string): Json | undefined {
  return at(parseManifests(configMap(`value: ${text}\n`), 'f.yaml')[0]?.object, 'value');
}

describe('a plain scalar means what kubectl makes of it', () => {
  // Recorded with kubectl 1.32: `kubectl annotate --local -o json -f FILE a=b`.
  test.each<[string, Json]>([
    ['yes', true],
    ['True', true],
    ['on', true],
    ['y', true],
    ['n', false],
    ['N', false],
    ['Off', false],
    ['NO', false],
    ['oN', 'oN'],
    ['yES', 'yES'],
    ['~', null],
    ['Null', null],
    ['', null],
    ['0644', 420],
    ['-0644', -420],
    ['0o644', 420],
    ['0O17', 15],
    ['+0o17', 15],
    ['0o8', '0o8'],
    ['010', 8],
    ['08', 8],
    ['09.5', 9.5],
    ['00', 0],
    ['0_7', 7],
    ['0x1F', 31],
    ['-0x1F', -31],
    ['0x', '0x'],
    ['0x_1', 1],
    ['0b11', 3],
    ['0b2', '0b2'],
    ['12_3', 123],
    ['1__0', 10],
    ['1_', 1],
    ['_1', '_1'],
    ['-_1', -1],
    ['+12', 12],
    ['1e3', 1000],
    ['1E3', 1000],
    ['1e+3', 1000],
    ['1.e3', 1000],
    ['1_e3', 1000],
    ['.e3', '.e3'],
    ['1e', '1e'],
    ['1.0', 1],
    ['1.', 1],
    ['.5', 0.5],
    ['-.5', -0.5],
    ['1_000.5', 1000.5],
    ['3.10', 3.1],
    ['1.2.3', '1.2.3'],
    ['1e-7', 1e-7],
    ['1e400', '1e400'],
    ['0x1p3', '0x1p3'],
    ['Inf', 'Inf'],
    ['NaN', 'NaN'],
    ['.', '.'],
    ['=', '='],
    ['5m', '5m'],
    ['1,000', '1,000'],
    ['12:30:45', '12:30:45'],
    ['190:20:30', '190:20:30'],
    ['2020-01-01', '2020-01-01'],
    ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00'],
    ['"0644"', '0644'],
    ["'on'", 'on'],
    ['!!str 123', '123'],
    ['!!int "12"', 12],
    ['!!bool "yes"', true],
  ])('%s is %j', (text, value) => {
    expect(valueOf(text)).toStrictEqual(value);
  });

  test.each([
    ['123: a', { '123': 'a' }],
    ['0644: a', { '420': 'a' }],
    ['yes: a', { true: 'a' }],
  ])('and so does the key of %s', (text, value) => {
    expect(valueOf(`{${text}}`)).toStrictEqual(value);
  });

  test('an octal mode keeps its meaning, and quoted text stays text (k8s-deploy R2)', () => {
    const [web] = parseManifests(caseFile('scalars-in-a-deployment.yaml'), 'f.yaml');
    const template = at(web?.object, 'spec', 'template');
    expect(at(template, 'spec', 'volumes', 0, 'secret', 'defaultMode')).toBe(0o644);
    expect(at(template, 'metadata', 'annotations')).toStrictEqual({ a: 'yes', b: '0123', c: '1e3' });
    expect(at(template, 'spec', 'containers', 0, 'env')).toStrictEqual([
      { name: 'X', value: 'on' },
      { name: 'Y', value: '12_3' },
      { name: 'T', value: '12:30:45' },
    ]);
  });
});

describe('what a file may hold', () => {
  test('documents without content are skipped (k8s-deploy R4)', () => {
    const found = parseManifests(caseFile('empty-documents.yaml'), 'f.yaml');
    expect(found.map(({ object, source }) => [object.metadata.name, source.line])).toStrictEqual([
      ['c', 1],
      ['d', 7],
    ]);
  });

  test.each(['', '\n', '# only a comment\n', '---\n', '---\n---\n# nothing\n'])('%j holds no objects', (text) => {
    expect(parseManifests(text, 'f.yaml')).toStrictEqual([]);
  });

  test('a list is flattened, and its entries keep their places (k8s-deploy R5)', () => {
    const [web, ...others] = parseManifests(caseFile('list.yaml'), 'f.yaml');
    expect(others).toStrictEqual([]);
    expect(web?.object.kind).toBe('Deployment');
    expect(web?.source.line).toBe(4);
    const image = ['spec', 'template', 'spec', 'containers', 0, 'image'];
    expect(web?.source.locate(image)).toStrictEqual({ file: 'f.yaml', line: 11, column: 41 });
  });

  test('lists within lists and typed lists are flattened; an empty one holds nothing', () => {
    const inner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
    const typed = { apiVersion: 'v1', kind: 'ConfigMapList', items: [inner] };
    const lists = [
      { apiVersion: 'v1', kind: 'List', items: [typed] },
      { apiVersion: 'v1', kind: 'List' },
    ];
    const text = lists.map((list) => JSON.stringify(list)).join('\n---\n');
    expect(parseManifests(text, 'f.json').map(({ object }) => object.kind)).toStrictEqual(['ConfigMap']);
  });

  test('a named object whose kind ends in List is an object', () => {
    const text = 'apiVersion: example.test/v1\nkind: AllowList\nmetadata: {name: a}\nitems: [1]\n';
    expect(parseManifests(text, 'f.yaml').map(({ object }) => object.kind)).toStrictEqual(['AllowList']);
  });

  test('JSON is read, indented by tabs too', () => {
    const text = JSON.stringify(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '/\u{1f600}' } },
      null,
      '\t',
    );
    const [found] = parseManifests(text, 'f.json');
    expect(found?.object['data']).toStrictEqual({ a: '/\u{1f600}' });
    expect(found?.source.locate(['metadata', 'name'])).toStrictEqual({ file: 'f.json', line: 5, column: 3 });
  });

  test('a byte order mark and line ends of Windows do no harm', () => {
    const [found] = parseManifests('\ufeffapiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: a\r\n', 'f.yaml');
    expect(found?.object.metadata.name).toBe('a');
    expect(found?.source.locate(['metadata', 'name']).line).toBe(4);
  });
});

describe('anchors, aliases and merge keys', () => {
  const text = configMap('base: &base\n  a: 1\n  b: [2]\nsame: *base\nmerged:\n  <<: *base\n  a: 3\n');

  test('are resolved', () => {
    const [found] = parseManifests(text, 'f.yaml');
    expect(found?.object).toMatchObject({ same: { a: 1, b: [2] }, merged: { a: 3, b: [2] } });
  });

  test('leave no part that is shared, so that a change to one does not show in another', () => {
    const [found] = parseManifests(text, 'f.yaml');
    const base = found?.object['base'] as { a: number; b: number[] };
    base.b.push(9);
    base.a = 9;
    expect(found?.object).toMatchObject({ same: { a: 1, b: [2] }, merged: { b: [2] } });
  });

  test('are located where their text stands', () => {
    const [found] = parseManifests(text, 'f.yaml');
    expect(found?.source.locate(['same', 'a']).line).toBe(5);
    expect(found?.source.locate(['merged', 'a']).line).toBe(10);
    expect(found?.source.locate(['merged', 'b', 0]).line).toBe(6);
  });

  test('cannot make a value endless or huge', () => {
    expect(() => parseManifests(configMap('a: &a [*a]\n'), 'f.yaml')).toThrow(/an alias refers to itself/);
    const doubling = Array.from({ length: 24 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`).join('\n');
    expect(() => parseManifests(configMap(`a0: &a0 [x]\n${doubling}\n`), 'f.yaml')).toThrow(/too large/);
  });
});

describe('locate', () => {
  const [found] = parseManifests(
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    # why\n    "a.b/c": d\ndata:\n  text: |\n    one\n    two\n',
    'dir/f.yaml',
  );

  test.each<[string, (string | number)[], number, number]>([
    ['the object', [], 1, 1],
    ['a value at its key', ['metadata', 'name'], 4, 3],
    ['a quoted key', ['metadata', 'labels', 'a.b/c'], 7, 5],
    ['a block of text', ['data', 'text'], 9, 3],
    ['the nearest thing around what is missing', ['metadata', 'labels', 'missing', 0], 5, 3],
  ])('finds %s', (_, path, line, column) => {
    expect(found?.source.locate(path)).toStrictEqual({ file: 'dir/f.yaml', line, column });
  });
});

describe('what cannot be read is refused at its line', () => {
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n';

  test.each<[string, string, number, string]>([
    ['a syntax error', 'a: b: c\n', 1, '"f.yaml" is not valid YAML: bad indentation of a mapping entry'],
    [
      'a tab',
      'apiVersion: v1\nmetadata:\n\tname: a\n',
      3,
      '"f.yaml" is not valid YAML: tab characters must not be used in indentation',
    ],
    [
      'a key that stands twice',
      `${pod}  labels: {a: b}\nkind: Job\n`,
      6,
      '"f.yaml" is not valid YAML: duplicated mapping key',
    ],
    ['an unknown alias', `${pod}x: *y\n`, 5, '"f.yaml" is not valid YAML: unidentified alias'],
    ['a list of objects', '- a\n- b\n', 1, '"f.yaml" holds a list where a Kubernetes object is expected'],
    ['text', '---\n404 not found\n', 2, '"f.yaml" holds a string where a Kubernetes object is expected'],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}\n', 1, 'an object in "f.yaml" has no kind'],
    ['no apiVersion', 'kind: Pod\nmetadata: {name: a}\n', 1, 'a Pod in "f.yaml" has no apiVersion'],
    ['no metadata', 'apiVersion: v1\nkind: Pod\n', 1, 'a Pod in "f.yaml" has no metadata.name'],
    ['an empty name', 'apiVersion: v1\nkind: Pod\nmetadata:\n  name:\n', 4, 'a Pod in "f.yaml" has no metadata.name'],
    [
      'a name that is a number',
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: 12\n',
      4,
      'metadata.name of a Pod in "f.yaml" must be a string, but is the number 12',
    ],
    [
      'a generated name',
      'apiVersion: v1\nkind: Job\nmetadata:\n  generateName: a-\n',
      4,
      'a Job in "f.yaml" has metadata.generateName instead of a name: each deploy would create another one',
    ],
    [
      'an item of a list',
      'apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n',
      4,
      'a Pod in "f.yaml" has no apiVersion',
    ],
  ])('%s', (_, text, line, message) => {
    const error = thrownBy(() => parseManifests(text, 'f.yaml'));
    expect(error).toBeInstanceOf(InvalidInput);
    expect(error).toMatchObject({ message, location: { file: 'f.yaml', line } });
    expect(error).toHaveProperty('hint', expect.stringMatching(/\.$/));
  });

  test.each<[string, string, number, string]>([
    [
      'a label',
      '  labels:\n    a: b\n    c: yes\n',
      7,
      'metadata.labels.c of Pod "p" must be a string, but is the boolean true',
    ],
    [
      'an annotation',
      '  annotations: {"a.test/b": 1}\n',
      5,
      'metadata.annotations."a.test/b" of Pod "p" must be a string, but is the number 1',
    ],
    [
      'a variable',
      'spec:\n  containers:\n  - name: c\n    env:\n    - name: A\n      value: 80\n',
      10,
      'spec.containers[0].env[0].value of Pod "p" must be a string, but is a number',
    ],
    [
      'a name that is a boolean in YAML 1.1',
      'spec:\n  volumes:\n  - name: y\n',
      7,
      'spec.volumes[0].name of Pod "p" must be a string, but is the boolean true',
    ],
    [
      'a node selector',
      'spec:\n  nodeSelector: {gpu: true}\n',
      6,
      'spec.nodeSelector.gpu of Pod "p" must be a string, but is the boolean true',
    ],
    [
      'a number that would lose digits',
      'x:\n  z: 9007199254740993\n',
      6,
      'x.z of Pod "p" has more digits than a number can hold exactly',
    ],
    ['what is no number in JSON', 'x: .inf\n', 5, 'x of Pod "p" is not a finite number'],
  ])('%s', (_, body, line, message) => {
    expect(thrownBy(() => parseManifests(pod + body, 'f.yaml'))).toMatchObject({
      message,
      hint: 'Put quotes around it.',
      location: { line },
    });
  });

  test('a number as value of a ConfigMap', () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  port: 80\n';
    expect(() => parseManifests(text, 'f.yaml')).toThrow(
      'data.port of ConfigMap "c" must be a string, but is the number 80',
    );
  });

  test('a custom resource may hold what it likes outside of its own metadata', () => {
    const text = configMap(
      'spec:\n  nodeSelector: {gpu: true}\n  values: {metadata: {labels: {a: 1}}}\n  env: [{name: A, value: 1}]\ndata: {a: 1}\n',
    );
    expect(parseManifests(text, 'f.yaml')).toHaveLength(1);
    expect(() => parseManifests(text.replace('{name: s}', '{name: s, labels: {a: 1}}'), 'f.yaml')).toThrow(
      /metadata.labels.a/,
    );
  });

  test('a template is named as what it probably is', () => {
    expect(thrownBy(() => parseManifests(configMap('a: {{ .Values.a }}\n'), 'f.yaml'))).toMatchObject({
      hint: expect.stringContaining('render it in an earlier step'),
    });
  });

  test('several mistakes come together', () => {
    const error = thrownBy(() => parseManifests('kind: Pod\n---\napiVersion: v1\n---\n5\n', 'f.yaml'));
    expect(problemsIn(error).map(({ location }) => location?.line)).toStrictEqual([1, 3, 5]);
  });
});
