import { stringAt, stringsAt, type Json } from '../../src/base/json.ts';
import { isWrite, type Asked } from './forwarding.ts';

/**
 * How far a run of the action has come, by what it asks of the API server. `write N` is its N-th write to what is the user's;
 * `undo` the first one after it has begun to wait, in runs of which nothing gets ready.
 */
export type Phase =
  'connect' | 'preflight' | 'lock' | 'record' | `write ${number}` | 'wait' | 'undo' | 'live' | 'close' | 'unlock';

/** Follows one run; `begin` says which phases a request is the first one of. */
export class Phases {
  readonly #seen = new Set<Phase>();
  #writes = 0;

  /** In the order in which they began. */
  get seen(): readonly Phase[] {
    return [...this.#seen];
  }

  begin(asked: Asked): Phase[] {
    const fresh = this.#phasesOf(asked).filter((phase) => !this.#seen.has(phase));
    for (const phase of fresh) this.#seen.add(phase);
    return fresh;
  }

  #phasesOf(asked: Asked): Phase[] {
    const phases: Phase[] = ['connect'];
    if (asked.url.includes('dryRun=')) phases.push('preflight');
    if (asked.url.includes('watch=') && this.#writes > 0) phases.push('wait');
    if (!isWrite(asked)) return phases;
    const { pathname } = new URL(asked.url, 'http://server');
    if (pathname.includes('/leases')) {
      const isFree = (stringAt(bodyOf(asked), 'spec', 'holderIdentity') ?? '') === '';
      return [...phases, isFree ? 'unlock' : 'lock'];
    }
    if (/\/secrets\/gke-rollout\.[^/]*\.journal$/.test(pathname))
      return [...phases, asked.method === 'DELETE' ? 'close' : 'record'];
    if (pathname.includes('/secrets/gke-rollout.')) {
      const outcome = stringsAt(bodyOf(asked), 'metadata', 'labels')['gke-rollout/outcome'];
      return outcome === 'live' ? [...phases, 'live'] : phases;
    }
    this.#writes += 1;
    return [...phases, `write ${this.#writes}`, ...(this.#seen.has('wait') ? (['undo'] as const) : [])];
  }
}

function bodyOf({ body }: Asked): Json {
  return body.length === 0 ? null : (JSON.parse(body.toString()) as Json);
}
