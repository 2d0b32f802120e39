import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt, timeAt } from '../../../../support/rollout-objects.ts';

const of = (generation: number, condition: JsonObject) => ({ ...condition, observedGeneration: generation });
const silent = 'unchecked: its controller has set no status; check that it is installed';

describe('a Certificate', () => {
  const written = (status?: JsonObject) =>
    custom('cert-manager.io/v1', 'Certificate', {
      spec: { secretName: 'web-tls', dnsNames: ['web.example.com'], issuerRef: { name: 'acme' } },
      ...(status && { status }),
    });
  const upToDate = 'Certificate is up to date and has not expired';
  const whole = (...conditions: JsonObject[]) => ({ notAfter: timeAt(7_776_000), revision: 1, conditions });
  const readyOf = (generation: number, seconds: number) =>
    of(generation, conditionAt('Ready', 'True', 'Ready', upToDate, seconds));
  const issuing = (generation: number) =>
    of(generation, conditionAt('Issuing', 'True', 'DoesNotExist', 'Issuing certificate as Secret does not exist', 1));
  const missing = (generation: number) =>
    of(generation, conditionAt('Ready', 'False', 'DoesNotExist', 'Issuing certificate as Secret does not exist', 1));
  const refused = (generation: number, seconds: number) =>
    of(
      generation,
      conditionAt(
        'Issuing',
        'False',
        'Failed',
        'The certificate request has failed to complete and will be retried: Failed to wait for order resource "web-1" to become ready: order is in "invalid" state',
        seconds,
      ),
    );

  test('is ready once it is issued for what was written; that it does not exist at birth is no failure', () => {
    const shown = [
      { at: 1, status: { conditions: [missing(1), issuing(1)] } },
      { at: 40, status: whole(readyOf(1, 40)) },
    ];
    expect(decidedOver(justMade(written()), shown, 40)).toEqual([
      'progressing: being issued: Issuing certificate as Secret does not exist',
      'ready: issued',
    ]);
  });

  test('is not ready by what was issued before the change', () => {
    const before = whole(readyOf(1, -3000));
    const changed = of(
      2,
      conditionAt(
        'Ready',
        'False',
        'RequestChanged',
        'Fields on existing CertificateRequest resource not up to date: [spec.dnsNames]',
        2,
      ),
    );
    const shown = [
      { at: 1, status: before },
      { at: 2, status: whole(changed, issuing(2)) },
      { at: 9, status: whole(readyOf(2, 9)) },
    ];
    expect(decidedOver(written(before), shown, 9)).toEqual([
      'progressing: waiting for the controller',
      'progressing: being issued: Issuing certificate as Secret does not exist',
      'ready: issued',
    ]);
  });

  test('whose request has failed has 30 s, since the next attempt is an hour away', () => {
    const shown = [{ at: 5, status: { conditions: [missing(1), refused(1, 5)] } }, { at: 34 }, { at: 35 }];
    const message =
      'The certificate request has failed to complete and will be retried: Failed to wait for order resource "web-1" to become ready: order is in "invalid" state';
    expect(decidedOver(justMade(written()), shown, 35)).toEqual([
      `progressing: ${message}`,
      `progressing: ${message}`,
      `failed: Failed: Certificate "web": ${message}`,
    ]);
  });

  test('does not fail by an attempt of before that its controller is about to repeat', () => {
    const before = { conditions: [missing(1), refused(1, -900)] };
    const shown = [
      { at: 1, status: before },
      { at: 45, status: { conditions: [missing(2), issuing(2)] } },
      { at: 60, status: whole(readyOf(2, 60)) },
    ];
    expect(decidedOver(written(before), shown, 60)).toEqual([
      'progressing: not Ready yet: DoesNotExist: Issuing certificate as Secret does not exist',
      'progressing: being issued: Issuing certificate as Secret does not exist',
      'ready: issued',
    ]);
  });

  test('whose challenge waits for DNS is accepted after 5 min', () => {
    const shown = [{ at: 1, status: { conditions: [missing(1), issuing(1)] } }, { at: 299 }, { at: 300 }];
    expect(decidedOver(justMade(written()), shown, 300).slice(1)).toEqual([
      'progressing: being issued: Issuing certificate as Secret does not exist',
      'unchecked: not issued yet: being issued: Issuing certificate as Secret does not exist',
    ]);
  });

  test('stays ready while only its renewal fails, and not when it has expired', () => {
    const renewal = whole(readyOf(2, 2), refused(2, 3));
    expect(decidedOver(written(), [{ at: 3, status: renewal }], 3)).toEqual(['ready: issued']);
    const expired = { ...whole(readyOf(2, 2)), notAfter: timeAt(-1) };
    expect(decidedOver(written(), [{ at: 3, status: expired }], 3)).toEqual([
      'progressing: it has expired: waiting for a new one',
    ]);
  });

  test('that was not changed is judged as it is', () => {
    const last = (status: JsonObject) =>
      decidedOver(written(status), [{ at: 1, status }], 1, { changed: false }).at(-1);
    expect(last(whole(readyOf(2, -3000)))).toBe('ready: issued');
    expect(last({ conditions: [missing(2), issuing(2)] })).toBe(
      'unchecked: not issued yet: being issued: Issuing certificate as Secret does not exist',
    );
  });

  test('without a controller is accepted after a minute, and at once where it never had one', () => {
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      silent,
    ]);
    expect(decidedOver(written(), [{ at: 1 }], 1)).toEqual([silent]);
    expect(decidedOver(justMade(written()), [{ at: 1 }], 1, { changed: false })).toEqual([silent]);
  });
});

describe.each(['Issuer', 'ClusterIssuer'])('a cert-manager %s', (kind) => {
  const written = (status?: JsonObject) =>
    custom('cert-manager.io/v1', kind, {
      spec: { acme: { server: 'https://acme.example.com' } },
      ...(status && { status }),
    });
  const registered = (generation: number, seconds: number) => ({
    conditions: [
      of(
        generation,
        conditionAt(
          'Ready',
          'True',
          'ACMEAccountRegistered',
          'The ACME account was registered with the ACME server',
          seconds,
        ),
      ),
    ],
  });
  const refused = (generation: number, seconds: number) => ({
    conditions: [
      of(
        generation,
        conditionAt('Ready', 'False', 'ErrRegisterACMEAccount', 'Failed to register ACME account: 503', seconds),
      ),
    ],
  });

  test('is ready when it says so of this generation', () => {
    const before = registered(1, -900);
    const shown = [
      { at: 1, status: before },
      { at: 2, status: registered(2, -900) },
    ];
    expect(decidedOver(written(before), shown, 2)).toEqual(['progressing: waiting for the controller', 'ready: ready']);
  });

  test('that is refused has 60 s', () => {
    const shown = [{ at: 2, status: refused(1, 2) }, { at: 61 }, { at: 62 }];
    expect(decidedOver(justMade(written()), shown, 62)).toEqual([
      'progressing: Failed to register ACME account: 503',
      'progressing: Failed to register ACME account: 503',
      `failed: ErrRegisterACMEAccount: ${kind} "web": Failed to register ACME account: 503`,
    ]);
  });

  test('is not failed by what was said of the generation before', () => {
    const before = refused(1, -900);
    const shown = [{ at: 1, status: before }, { at: 100 }, { at: 101, status: registered(2, 101) }];
    expect(decidedOver(written(before), shown, 101)).toEqual([
      'progressing: not Ready yet: ErrRegisterACMEAccount: Failed to register ACME account: 503',
      'progressing: not Ready yet: ErrRegisterACMEAccount: Failed to register ACME account: 503',
      'ready: ready',
    ]);
  });

  test('that was not changed, or has no controller', () => {
    const status = registered(2, -900);
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: ready']);
    expect(decidedOver(justMade(written()), [{ at: 60 }], 60)).toEqual([silent]);
  });
});
