import { describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../src/base/errors.ts';
import { previewHosts, previewNamespace } from '../../../src/preview/names.ts';
import { thrownBy } from '../manifests/build.ts';
import { identity } from './build.ts';

const long = 'a-very-long-name-of-a-release-that-is-as-long-as-it-may-be-abcde';
const of = (release: string, number = 7, repositoryId = 42) => ({ ...identity, release, number, repositoryId });

describe('the namespace', () => {
  test.each([
    [undefined, 'shop', 7, 'shop-pr-7'],
    ['preview-{number}', 'shop', 1234, 'preview-1234'],
    ['pr-{number}-{release}', 'shop', 7, 'pr-7-shop'],
    ['{number}', 'shop', 7, '7'],
  ])('of the template %s for release %s and pull request %d is %s', (template, release, number, expected) => {
    expect(previewNamespace(of(release, number), template)).toBe(expected);
  });

  test('has the release cut, never the number, and still another name for another release (dependabot/dependabot-core#5338)', () => {
    const first = previewNamespace(of(long.slice(0, 63), 123_456));
    const second = previewNamespace(of(`${long.slice(0, 62)}x`, 123_456));
    expect(first).toMatch(/^a-very-long-name-of-a-release-that-is-as-long-[0-9a-f]{6}-pr-123456$/);
    expect(first).toHaveLength(62);
    expect(second.slice(0, 46)).toBe(first.slice(0, 46));
    expect(second).not.toBe(first);
  });

  test('is another one for another repository once it is cut', () => {
    expect(previewNamespace(of(long.slice(0, 63), 7, 1))).not.toBe(previewNamespace(of(long.slice(0, 63), 7, 2)));
  });

  test('is not cut as long as it fits', () => {
    expect(previewNamespace(of('a'.repeat(58)))).toBe(`${'a'.repeat(58)}-pr-7`);
    expect(previewNamespace(of('a'.repeat(59)))).toMatch(/^a{51}-[0-9a-f]{6}-pr-7$/);
  });

  test('has no two hyphens where it was cut', () => {
    expect(previewNamespace(of(`${'a'.repeat(50)}-${'b'.repeat(10)}`))).toMatch(/^a{50}-[0-9a-f]{6}-pr-7$/);
  });

  test.each([
    [
      '{release}-preview',
      'the input "preview-namespace" is "{release}-preview", which is the same for every pull request',
      'Put {number} into it.',
    ],
    [
      '{branch}-{number}',
      'the input "preview-namespace" is "{branch}-{number}", which has {branch}',
      'Use {number}, {release}.',
    ],
    [
      '{host-label}-{number}',
      'the input "preview-namespace" is "{host-label}-{number}", which has {host-label}',
      'Use {number}, {release}.',
    ],
    [
      'PR-{number}',
      'the input "preview-namespace" is "PR-{number}", which makes "PR-7", and that is not a valid namespace',
      'Use lower-case letters, digits and hyphens, with a letter or digit at both ends.',
    ],
    [
      'pr.{number}',
      'the input "preview-namespace" is "pr.{number}", which makes "pr.7", and that is not a valid namespace',
      'Use lower-case letters, digits and hyphens, with a letter or digit at both ends.',
    ],
    [
      '{number}-',
      'the input "preview-namespace" is "{number}-", which makes "7-", and that is not a valid namespace',
      'Use lower-case letters, digits and hyphens, with a letter or digit at both ends.',
    ],
    [
      '{number}{',
      'the input "preview-namespace" is "{number}{", which makes "7{", and that is not a valid namespace',
      'Use lower-case letters, digits and hyphens, with a letter or digit at both ends.',
    ],
    [
      `${'x'.repeat(63)}{number}`,
      `the input "preview-namespace" has "${'x'.repeat(63)}{number}", which does not fit into 63 characters however it is shortened`,
      'Shorten the text around the placeholders.',
    ],
  ])('is refused for the template %s', (template, message, hint) => {
    const error = thrownBy(() => previewNamespace(identity, template));
    expect(error).toBeInstanceOf(InvalidInput);
    expect(error).toMatchObject({ message, hint });
  });
});

describe('hosts', () => {
  const template = 'pr-{number}-{release}.preview.example.com';
  const byLabel = 'pr-{number}-{host-label}.preview.example.com';
  const made = (use: string, hosts: string[], whose = identity) => [...previewHosts(whose, use, hosts).values()];

  test.each([
    [template, ['shop.example.com'], ['pr-7-shop.preview.example.com']],
    [byLabel, ['api.example.com', 'WWW.example.com'], ['pr-7-api.preview.example.com', 'pr-7-www.preview.example.com']],
    [byLabel, ['*.example.com'], ['pr-7-example.preview.example.com']],
    [byLabel, [''], ['pr-7-shop.preview.example.com']],
    [byLabel, ['', 'api.example.com'], ['pr-7-api.preview.example.com', 'pr-7-api.preview.example.com']],
    [
      byLabel,
      ['', 'a.b', 'c.d'],
      ['pr-7-a.preview.example.com', 'pr-7-c.preview.example.com', 'pr-7-shop.preview.example.com'],
    ],
    ['{number}.{release}.example.com', ['a.b'], ['7.shop.example.com']],
  ])('of the template %s for %j are %j', (use, hosts, expected) => {
    expect(made(use, hosts)).toStrictEqual(expected);
  });

  test('have the release cut before the label of the host, each label at 63 characters', () => {
    const [host = ''] = made(
      'pr-{number}-{release}-{host-label}.example.com',
      ['api.example.com'],
      of(long.slice(0, 60)),
    );
    expect(host.split('.')[0]).toMatch(/^pr-7-a-very-[a-z-]+-[0-9a-f]{6}-api$/);
    expect(host.split('.')[0]).toHaveLength(63);
  });

  test('have a long label of the host cut, too', () => {
    const [host = ''] = made(byLabel, [`${'a'.repeat(63)}.example.com`]);
    expect(host.split('.')[0]).toMatch(/^pr-7-a{51}-[0-9a-f]{6}$/);
  });

  test('that would meet are an error', () => {
    const error = thrownBy(() => previewHosts(identity, template, ['api.example.com', 'www.example.com']));
    expect(error).toBeInstanceOf(InvalidInput);
    expect(error).toMatchObject({
      message:
        'the input "preview-host" turns both "api.example.com" and "www.example.com" of the manifests into "pr-7-shop.preview.example.com"',
      hint: 'Put {host-label} into it, such as pr-{number}-{host-label}.preview.example.com.',
    });
    expect(thrownBy(() => previewHosts(identity, byLabel, ['api.a.com', 'api.b.com']))).toMatchObject({
      hint: 'Give the hosts of the manifests different first labels, or leave all but one of them out of previews.',
    });
  });

  test.each([
    ['preview.example.com', 'which is the same for every pull request'],
    ['{branch}-{number}.example.com', 'which has {branch}'],
    ['pr-{number}..example.com', 'which makes "", and that is not a valid part of a host'],
    ['https://pr-{number}.example.com', 'which makes "https://pr-7", and that is not a valid part of a host'],
    ['pr-{number}.example.com/shop', 'which makes "com/shop", and that is not a valid part of a host'],
    [`pr-{number}${'.abcdefghi'.repeat(25)}`, 'which makes a host of 254 characters'],
  ])('are refused for the template %s', (use, why) => {
    expect(thrownBy(() => made(use, ['shop.example.com'])).message).toContain(why);
  });
});
