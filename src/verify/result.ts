import { Failure } from '../base/errors.ts';

/** How a check ended, with the figures that it was judged by. */
export interface CheckResult extends CheckFigures {
  check: string;
  verdict: 'pass' | 'fail' | 'inconclusive';
  /** One clause: why. */
  message: string;
  /** How it was asked: `at the external address 203.0.113.7:80`. */
  via: string;
  /** Those of the stable version, where it was asked too. */
  stable?: CheckFigures;
  share?: Share;
}

/** Of the requests to one version that were judged. */
export interface CheckFigures {
  requests: number;
  errors: number;
  p95Ms?: number;
}

/** Which part of the requests reached the candidate, in percent. */
interface Share {
  wanted: number;
  measured: number;
  requests: number;
}

/** A check did not pass: the version must not get (more) traffic. */
export class VerificationFailed extends Failure {
  readonly result: CheckResult;

  constructor(result: CheckResult) {
    const outcome = result.verdict === 'fail' ? 'failed' : 'stayed inconclusive';
    super(`check "${result.check}" ${outcome}: ${result.message} (asked ${result.via})`, {
      hint:
        result.verdict === 'fail'
          ? 'Fix the version, or the check in the input "verify".'
          : 'Raise "timeout", ask for less in the input "verify", or find out why so few requests got through.',
    });
    this.result = result;
  }
}

/** @throws VerificationFailed for the first check that did not pass */
export function assertPassed(results: readonly CheckResult[]): void {
  const bad = results.find(({ verdict }) => verdict !== 'pass');
  if (bad !== undefined) throw new VerificationFailed(bad);
}
