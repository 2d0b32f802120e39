import { InvalidInput } from '../../base/errors.ts';
import { isObject, type Json, type Path } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Manifest } from '../manifest.ts';
import { definesKinds, isConfig, isLikeBuiltIn } from '../kinds.ts';
import { podsIn } from '../pod-template.ts';

/**
 * Mistakes of YAML that the server would answer with words about Go types: numbers and booleans where Kubernetes has
 * strings (labels, annotations, environment variables, selectors, config), and numbers that JSON cannot carry.
 */
export function problemsOf(manifest: Manifest): InvalidInput[] {
  const { object, source } = manifest;
  const problems = misshapenConfig(manifest);
  const isStringAt = stringPlaces(object);
  const visit = (value: Json | undefined, path: Path) => {
    const broken = problemOfScalar(value) ?? problemOfScalar(path.at(-1));
    if (isStringAt(path) && value !== null && value !== undefined && typeof value !== 'string') {
      problems.push(
        new InvalidInput(
          `${describePath(path)} of ${object.kind} "${object.metadata.name}" must be a string, but is ${kindOf(value, isSecretPlace(object, path))}`,
          {
            location: source.locate(path),
            hint: isScalar(value) ? 'Put quotes around it.' : 'Use a string here.',
          },
        ),
      );
    } else if (broken !== undefined) {
      problems.push(
        new InvalidInput(`${describePath(path)} of ${object.kind} "${object.metadata.name}" ${broken}`, {
          location: source.locate(path),
          hint:
            typeof value === 'number' ? 'Put quotes around it.' : 'Write the whole character, or both halves of it.',
        }),
      );
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => {
        visit(item, [...path, index]);
      });
    } else if (isObject(value)) {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    }
  };
  visit(object, []);
  return problems;
}

/** Says of a path whether Kubernetes has a string there. What a custom resource holds besides metadata is its own affair. */
function stringPlaces(object: KubernetesObject): (path: Path) => boolean {
  const typed = isLikeBuiltIn(object) && !definesKinds(object);
  const holdsTexts = typed && (object.kind === 'ConfigMap' || object.kind === 'Secret');
  const ofPods = podsIn(object).map(({ metadata }) => metadata);
  return (path) => {
    const [last, parent, outer, outermost] = path.toReversed();
    if (typeof last !== 'string') return false;
    if (parent === 'labels' || parent === 'annotations') {
      if (outer === 'metadata' && (typed || path.length === 3)) return true;
      return ofPods.some((place) => place.length === path.length - 2 && place.every((step, at) => step === path[at]));
    }
    if (holdsTexts)
      return path.length === 2 && (parent === 'data' || parent === 'stringData' || parent === 'binaryData');
    if (!typed) return false;
    // `name: y` of a container, a volume, a port or a variable is the boolean.
    if (last === 'name' && typeof parent === 'number') return true;
    if (last === 'value' && typeof parent === 'number') {
      return outer === 'env' && typeof outermost === 'number';
    }
    return (
      parent === 'matchLabels' || parent === 'nodeSelector' || (object.kind === 'Service' && parent === 'selector')
    );
  };
}

function problemOfScalar(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return numberProblem(value);
  // The server would put another letter in its place.
  if (typeof value === 'string' && !value.isWellFormed()) return 'has half a character, such as a lone "\\ud83d"';
  return undefined;
}

function numberProblem(value: number): string | undefined {
  if (!Number.isFinite(value)) return 'is not a finite number';
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return 'has more digits than a number can hold exactly';
  return undefined;
}

/** `metadata.labels."app.kubernetes.io/name"`, `spec.containers[0].env[1].value` */
function describePath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      return `${index === 0 ? '' : '.'}${/^[\w-]+$/.test(step) ? step : `"${step}"`}`;
    })
    .join('');
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object';
}

/**
 * How messages name a value that is not what it should be. A text never stands in it, for nobody knows what a file holds that was not
 * meant; a number only where it may be seen.
 */
export function kindOf(value: Json | undefined, maybeSecret = true): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return `the boolean ${String(value)}`;
  if (typeof value === 'number') return maybeSecret ? 'a number' : `the number ${String(value)}`;
  return typeof value === 'string' ? 'a string' : 'a map';
}

/** Values of Secrets and of variables. */
function isSecretPlace({ kind }: KubernetesObject, path: Path): boolean {
  return kind === 'Secret' ? path[0] !== 'metadata' || path[1] === 'annotations' : path.at(-1) === 'value';
}

/** What the server would answer with the values: config that is no map. */
function misshapenConfig({ object, source }: Manifest): InvalidInput[] {
  if (!isConfig(object)) return [];
  return ['data', 'stringData', 'binaryData'].flatMap((field) => {
    const value = object[field];
    if (value === undefined || value === null || isObject(value)) return [];
    const message = `${field} of ${object.kind} "${object.metadata.name}" must be a map, but is ${kindOf(value)}`;
    return [new InvalidInput(message, { location: source.locate([field]), hint: 'Write "KEY: VALUE" below it.' })];
  });
}
