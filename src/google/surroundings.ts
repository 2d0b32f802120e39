import type { Clock } from '../base/clock.ts';
import type { Environment, Hosts } from './hosts.ts';
import type { Web } from './web.ts';

/** What signing in needs from outside. */
export interface Surroundings {
  clock: Clock;
  web: Web;
  hosts: Hosts;
  env: Environment;
  /** Called with each token before it is used, so that it can be masked. */
  onSecret: (secret: string) => void;
}
