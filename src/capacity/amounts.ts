import { objectAt, type Json, type Path } from '../base/json.ts';
import { amountOf } from './quantity.ts';

/** How much of each resource, by its name: `cpu` in thousandths, `memory` in bytes, `nvidia.com/gpu`, `pods`, … */
export type Amounts = ReadonlyMap<string, number>;

/** The map of quantities at `path`. */
export function amountsAt(root: Json | undefined, ...path: Path): Amounts {
  return new Map(Object.entries(objectAt(root, ...path)).map(([name, value]) => [name, amountOf(name, value)]));
}

export function plus(left: Amounts, right: Amounts): Amounts {
  return combined(left, right, (a, b) => a + b);
}

export function minus(left: Amounts, right: Amounts): Amounts {
  return combined(left, right, (a, b) => a - b);
}

/** Of each resource the larger amount. */
export function larger(left: Amounts, right: Amounts): Amounts {
  return combined(left, right, Math.max);
}

export function times(amounts: Amounts, factor: number): Amounts {
  return new Map([...amounts].map(([name, amount]) => [name, amount * factor]));
}

export function sumOf(list: readonly Amounts[]): Amounts {
  return list.reduce(plus, new Map());
}

/** The resources of `wanted` that `free` has too little of. */
export function lackingIn(free: Amounts, wanted: Amounts): string[] {
  return [...wanted].filter(([name, amount]) => amount > 0 && amount > (free.get(name) ?? 0)).map(([name]) => name);
}

function combined(left: Amounts, right: Amounts, combine: (left: number, right: number) => number): Amounts {
  const result = new Map(left);
  for (const [name, amount] of right) result.set(name, combine(left.get(name) ?? 0, amount));
  return result;
}
