import { ready, type Rule } from './rule.ts';
import { addressesOf } from './service.ts';

/**
 * Not every controller writes an address into the status, and some write it only after a certificate was signed: to wait
 * for it would undo healthy releases.
 */
export const ingress: Rule = {
  kinds: [{ kind: 'Ingress', group: 'networking.k8s.io' }],
  ready: 'it is applied; its address is told where it has one',
  failed: 'never',
  source: 'kubernetes pkg/apis/networking: status.loadBalancer is optional; as krane and kstatus',
  judge: (object) => {
    const addresses = addressesOf(object);
    return ready(addresses.length === 0 ? 'applied' : `its address is ${addresses.join(', ')}`);
  },
};
