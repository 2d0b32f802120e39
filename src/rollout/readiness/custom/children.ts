import { numberAt } from '../../../base/json.ts';
import { conditionsOf, timeOf } from '../../../kubernetes/conditions.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../../../kubernetes/object.ts';
import { isOwnedBy } from '../../ownership.ts';
import type { QuietMs, Verdict } from '../../verdict.ts';
import { isSince, progressing, type Facts, type Rule } from '../rule.ts';

/** What an object owns itself, of these kinds; undefined where that may not be seen. What is being deleted is none of it. */
export function directChildren(
  object: KubernetesObject,
  { descendants }: Facts,
  kinds: readonly { kind: string; group: string }[],
): KubernetesObject[] | undefined {
  return descendants?.filter(
    (child) =>
      child.metadata.deletionTimestamp === undefined &&
      isOwnedBy(child, object) &&
      kinds.some((kind) => isOf(child, kind)),
  );
}

/** The first of them that is not accepted by the rule of its own kind, with its name; undefined when all are. */
export function judgeChildren(
  children: readonly KubernetesObject[],
  facts: Facts,
  rules: readonly Rule[],
): Verdict | undefined {
  const verdicts = children.flatMap((child) => {
    const rule = rules.find(({ kinds }) => kinds.some((kind) => isOf(child, kind)));
    return rule === undefined ? [] : named(child, rule.judge(child, factsOf(child, facts)));
  });
  return verdicts.find(({ state }) => state === 'failed') ?? verdicts.find(({ state }) => state === 'progressing');
}

/** A controller that has moved a child since our write has looked at it; the rest of what it does comes at once, ms. */
const movedMs = 3000;
/** Without a trace of that: nothing was there to do for it, or it is late, ms. */
const unmovedMs = 15_000;

/**
 * For how long the status of an object has to stay as it is where it names no generation of its own: a condition of a child that
 * has changed since our write, or a new child, shows that its controller has seen the change.
 */
export function quietAfter(children: readonly KubernetesObject[] | undefined, facts: Facts): QuietMs {
  return children?.some((child) => hasMoved(child, facts)) === true ? movedMs : unmovedMs;
}

function hasMoved(child: KubernetesObject, facts: Facts): boolean {
  const times = [timeOf(child.metadata.creationTimestamp), ...conditionsOf(child).map(({ updatedAt }) => updatedAt)];
  return times.some((time) => isSince(time, facts));
}

function isOf({ apiVersion, kind }: KubernetesObject, of: { kind: string; group: string }): boolean {
  return kind === of.kind && groupOf(apiVersion) === of.group;
}

/** Its generation is that of its owner's controller: what that has written last is what is meant. */
function factsOf(child: KubernetesObject, facts: Facts): Facts {
  return { ...facts, generation: numberAt(child, 'metadata', 'generation') ?? 0, asWritten: child };
}

function named(child: KubernetesObject, verdict: Verdict): Verdict {
  const name = describeRef(refOf(child));
  if (verdict.state === 'failed') {
    return { state: 'failed', cause: { ...verdict.cause, message: `${name}: ${verdict.cause.message}` } };
  }
  if (verdict.state !== 'progressing') return verdict;
  const { message, trouble } = verdict;
  if (trouble === undefined) return progressing(`${name}: ${message}`);
  const cause = { ...trouble.cause, message: `${name}: ${trouble.cause.message}` };
  return { state: 'progressing', message: `${name}: ${message}`, trouble: { ...trouble, cause } };
}
