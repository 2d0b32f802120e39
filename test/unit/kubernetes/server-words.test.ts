import { describe, expect, test } from '@jest/globals';

import { serverWords } from '../../../src/kubernetes/server-words.ts';
import { cpuTimeOf, SQUARE_MS } from '../../support/cpu-time.ts';

const secret = 'hunter22';

function words(message: string, options: Partial<Parameters<typeof serverWords>[1]> = {}): string {
  return serverWords(message, { values: [], isSecret: false, ...options });
}

describe('what the API server says is told without the values', () => {
  test.each<[string, string, string]>([
    [
      'a template as Go prints it',
      `Job.batch "j" is invalid: spec.template: Invalid value: core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", Labels:map[string]string{"a":"b"}}, Spec:core.PodSpec{Containers:[]core.Container{core.Container{Name:"c", Env:[]core.EnvVar{core.EnvVar{Name:"A", Value:"${secret}: } \\" {", ValueFrom:(*core.EnvVarSource)(nil)}}}}}}: field is immutable`,
      'Job.batch "j" is invalid: spec.template: Invalid value: core.PodTemplateSpec{…}: field is immutable',
    ],
    [
      'a template as JSON',
      `spec.template: Invalid value: {"spec":{"containers":[{"env":[{"name":"A","value":"${secret}"}]}]}}: field is immutable`,
      'spec.template: Invalid value: {…}: field is immutable',
    ],
    [
      'a number where the schema has a string',
      'failed to create typed patch object (shop/s; /v1, Kind=Secret): .stringData.pin: expected string, got &value.valueUnstructured{Value:48151623}',
      'failed to create typed patch object (shop/s; /v1, Kind=Secret): .stringData.pin: expected string, got a value of a different type',
    ],
    ['a pointer', '.spec.b: expected map, got &{48151623}', '.spec.b: expected map, got a value of a different type'],
    [
      'a type that is no value',
      '.spec.a: expected numeric (int or float), got string',
      '.spec.a: expected numeric (int or float), got string',
    ],
    [
      'what a decoder shows around a mistake',
      `v1.Secret.StringData: ReadString: expects " or n, but found 4, error found in #10 byte of ...|{"pin":${secret}|..., bigger context ...|"stringData":{"pin":${secret}}|...`,
      'v1.Secret.StringData: ReadString: expects " or n, but found 4, error found in #10 byte of …',
    ],
    ['a whole object', `Object 'Kind' is missing in '{"data":{"a":"${secret}"}}'`, "Object 'Kind' is missing in '{…}'"],
    ['a map of Go', `unexpected value map[password:${secret} user:[a b]] in data`, 'unexpected value map[…] in data'],
    [
      'a number that does not fit',
      `json: cannot unmarshal number 48151623 into Go struct field A.b of type int8`,
      'json: cannot unmarshal number into Go struct field A.b of type int8',
    ],
    [
      'a variable',
      `spec.template.spec.containers[0].env[0].value: Invalid value: "${secret}": must not be so`,
      'spec.template.spec.containers[0].env[0].value: Invalid value: ***: must not be so',
    ],
    [
      'several at once',
      `Secret "s" is invalid: [data[a]: Invalid value: "${secret}": too bad, type: Unsupported value: "x": supported values: "y"]`,
      'Secret "s" is invalid: [data[a]: Invalid value: ***: too bad, type: Unsupported value: "x": supported values: "y"]',
    ],
    [
      'a variable with its value in its name',
      `.spec.containers[name="c"].env[name="A=${secret}"].value`,
      '.spec.containers[name="c"].env[name="A=…"].value',
    ],
    ['a dump that was cut', `Invalid value: core.Pod{Name:"a", Value:"${secret}`, 'Invalid value: core.Pod{…}'],
  ])('%s', (_, message, told) => {
    expect(words(message)).toBe(told);
  });

  test.each([
    'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    'metadata.name: Invalid value: "Web_1": a lowercase RFC 1123 label must consist of \'[a-z0-9]([-a-z0-9]*[a-z0-9])?\'',
    'user "jane" is attempting to grant RBAC permissions not currently held:\n{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}',
    'spec.containers[0].env[0].name: Invalid value: "1-A": a valid environment variable name must begin with a letter',
    'spec.selector: Invalid value: {}: field is immutable',
  ])('but not what helps: %s', (message) => {
    expect(words(message)).toBe(message);
  });

  test('of a Secret no value is told, whatever the field', () => {
    expect(words(`type: Invalid value: "${secret}": field is immutable`, { isSecret: true })).toBe(
      'type: Invalid value: ***: field is immutable',
    );
  });

  test('values of the object stand in no sentence, in no form', () => {
    const message = `admission webhook "a" denied: ${secret}, ${Buffer.from(secret).toString('base64')}, "say \\"hi\\" now"`;
    expect(words(message, { values: [secret, 'say "hi" now'] })).toBe('admission webhook "a" denied: ***, ***, "***"');
  });

  test.each(['{', 'map[', 'Invalid value: ', '"', 'core.A{"', 'a.A{', ': ', 'Invalid value: {"', '.a.a'])(
    'a long message of %j takes a time in proportion to it',
    async (part) => {
      const message = part.repeat(Math.ceil(1_000_000 / part.length));
      expect(await cpuTimeOf(() => words(message, { values: [secret] }))).toBeLessThan(SQUARE_MS);
    },
  );
});
