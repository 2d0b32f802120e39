import { objectsAt, stringAt } from '../../../src/base/json.ts';
import { waitUntil } from '../../cluster/run.ts';
import { kubectl, kubectlJson } from '../../support/kubectl.ts';

/** Extended resources of a node, as the kubelet would tell of its GPUs. */
export class Devices implements AsyncDisposable {
  readonly #node: string;
  readonly #names: readonly string[];

  private constructor(node: string, names: readonly string[]) {
    this.#node = node;
    this.#names = names;
  }

  /** @param amounts how many of each there are, by names with a domain of the suite's own */
  static async create(amounts: Readonly<Record<string, number>>): Promise<Devices> {
    const devices = new Devices(await realNode(), Object.keys(amounts));
    for (const [name, amount] of Object.entries(amounts))
      await devices.#patch({ op: 'add', path: pathOf(name), value: String(amount) });
    // The kubelet says at its next heartbeat that they may be used.
    await waitUntil('the devices can be allocated', 60_000, async () => {
      const found = await kubectlJson(['get', 'node', devices.#node]);
      return Object.entries(amounts).every(
        ([name, amount]) => stringAt(found, 'status', 'allocatable', name) === String(amount),
      );
    });
    return devices;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names) await this.#patch({ op: 'remove', path: pathOf(name) });
  }

  async #patch(operation: object): Promise<void> {
    const patch = JSON.stringify([operation]);
    await kubectl(['patch', 'node', this.#node, '--subresource=status', '--type=json', '-p', patch]);
  }
}

/** One with a kubelet, on which pods become ready. */
async function realNode(): Promise<string> {
  const nodes = objectsAt(await kubectlJson(['get', 'nodes']), 'items');
  const untainted = nodes.find((each) => objectsAt(each, 'spec', 'taints').length === 0);
  return stringAt(untainted, 'metadata', 'name') ?? '';
}

function pathOf(name: string): string {
  return `/status/capacity/${name.replace('/', '~1')}`;
}
