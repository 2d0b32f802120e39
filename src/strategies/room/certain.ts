import type { CapacityReport, Shortage } from '../../capacity/capacity.ts';
import { isDevice } from '../../manifests/devices.ts';

/** Of devices alone: whatever else is short, others of the deploy or pods that are ending may let it go meanwhile. */
export function certainOf(report: CapacityReport): Shortage[] {
  if (report.state === 'fits') return [];
  return report.shortages.filter(
    ({ certain, lacking }) => certain && lacking.length > 0 && lacking.every((name) => isDevice(resourceOf(name))),
  );
}

/** Whether a quota has too little for any of them. */
export function isOfQuota(shortages: readonly Shortage[]): boolean {
  return shortages.some(({ lacking }) => lacking.some((name) => resourceOf(name) !== name));
}

/** The devices of which there is too little, as pods ask for them. */
export function resourcesIn(shortages: readonly Shortage[]): string[] {
  return [...new Set(shortages.flatMap(({ lacking }) => lacking.map(resourceOf)))];
}

/** As pods ask for it, also where it is a quota that has too little: `nvidia.com/gpu`. */
function resourceOf(lacking: string): string {
  return lacking.replace(/^requests\./, '');
}
