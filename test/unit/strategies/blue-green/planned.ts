import { equal } from '../../../../src/base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import type { Prepared } from '../../../../src/apply/prepared.ts';
import type { Manifest } from '../../../../src/manifests/manifest.ts';
import type { PlanContext, Strategy } from '../../../../src/plan/plan.ts';
import { blueGreen } from '../../../../src/strategies/blue-green/blue-green.ts';
import type { BlueGreenOptions } from '../../../../src/strategies/blue-green/bring-in.ts';
import type { FakeApi } from '../../../support/fake-api.ts';
import { silentReporter } from '../../../support/silent-reporter.ts';
import { manifestOf } from '../../release/build.ts';
import { linesOf } from '../plan-lines.ts';

/** What a blue-green deploy of these objects would do. */
export interface Planned {
  /** What was said while it was planned. */
  notes: string[];
  /** The first stages, which bring the other side in. */
  before: string[];
  /** All stages; only where the cluster answers as if each had been carried out. */
  all: () => Promise<string[]>;
}

/** A context that compares with what is in a fake cluster. */
export function contextOf(api: FakeApi, notes: string[] = []): PlanContext {
  return {
    client: api,
    namespace: 'shop',
    look: (manifests) => Promise.resolve(comparedWith(api, manifests)),
    note: (text) => notes.push(text),
    onLowCapacity: 'warn',
    reporter: silentReporter,
  };
}

function comparedWith(api: FakeApi, manifests: readonly Manifest[]): Prepared[] {
  return manifests.map((manifest): Prepared => {
    const live = api.objects.get(keyOf(refOf(manifest.object)));
    const isSame = live !== undefined && equal(live['spec'] ?? null, manifest.object['spec'] ?? null);
    const change = live === undefined ? 'created' : isSame ? 'unchanged' : 'configured';
    return { manifest, live, predicted: manifest.object, change, takeover: false, warnings: [] };
  });
}

export async function planned(
  api: FakeApi,
  objects: readonly KubernetesObject[],
  options: Partial<BlueGreenOptions> = {},
): Promise<Planned> {
  return await plannedBy(api, objects, blueGreen({ autoPromote: true, ownSides: false, ...options }));
}

/** The same for any strategy. */
export async function plannedBy(
  api: FakeApi,
  objects: readonly KubernetesObject[],
  strategy: Strategy,
): Promise<Planned> {
  const notes: string[] = [];
  const context = contextOf(api, notes);
  const arrangement = await strategy(
    context,
    objects.map((object) => manifestOf(object)),
  );
  const { stages } = await arrangement.plan(comparedWith(api, arrangement.manifests));
  const linesFrom = async (some: typeof stages) => {
    const lines: string[] = [];
    for (const stage of some) lines.push(...linesOf((await stage.decide(context)).steps));
    return lines.map((line) => line.replaceAll(/ at \d+/g, ''));
  };
  const before = await linesFrom(stages.slice(0, 2));
  return { notes, before, all: async () => [...before, ...(await linesFrom(stages.slice(2)))] };
}
