import { formatDuration } from '../../base/clock.ts';
import { listAt, numberAt, objectsAt, stringAt, type JsonObject, type Path } from '../../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { keepsItsPods } from '../../manifests/kinds.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isScaledToZero, podSpecOf, podTemplatePath } from '../../manifests/pod-template.ts';
import { templateLabels } from '../pods.ts';
import { selectorOf, selects } from '../services.ts';
import { secondsOf, type Cut } from './cut.ts';
import { modelServerIn, type ModelServer } from './model-server.ts';

/** What Kubernetes gives a pod that says nothing. */
const defaultGrace = 30;

/** For whom nobody has said how long requests take. */
const exampleMs = 300_000;

/**
 * Where a pod that is replaced ends before its requests do: behind a Service for the longest of them, and for model servers by
 * what needs no number, too.
 * @param longestMs 0: nobody says
 */
export function cutByPods(manifest: Manifest, services: readonly KubernetesObject[], longestMs: number): Cut[] {
  const { object, source } = manifest;
  const path = podTemplatePath(object);
  if (path === undefined || !keepsItsPods(object) || isScaledToZero(object)) return [];
  const containers = objectsAt(podSpecOf(object), 'containers').map((container, index) => ({
    container,
    server: modelServerIn(container),
    at: [...path, 'spec', 'containers', index],
  }));
  const servers = containers.filter(({ server }) => server !== undefined);
  if (servers.length === 0 && (longestMs === 0 || !isServed(object, services))) return [];
  const name = describeRef(refOf(object));
  const serving = servers.length > 0 ? servers : containers;
  const preStop = Math.max(0, ...serving.map(({ container }) => preStopSeconds(container)));
  const grace = cutByGrace(object, { preStop, longestMs, servers });
  return [
    ...(grace === undefined
      ? []
      : [{ text: `${name}: ${grace}`, location: source.locate([...path, 'spec', 'terminationGracePeriodSeconds']) }]),
    ...servers.flatMap(({ container, server, at }) => {
      const text = cutByServer(server, longestMs);
      const place: Path = [...at, listAt(container, 'args').length > 0 ? 'args' : 'command'];
      const who = `${name}: container "${stringAt(container, 'name') ?? ''}"`;
      return text === undefined ? [] : [{ text: `${who} ${text}`, location: source.locate(place) }];
    }),
  ];
}

function isServed(object: KubernetesObject, services: readonly KubernetesObject[]): boolean {
  return services.some(
    (service) =>
      service.metadata.namespace === object.metadata.namespace && selects(selectorOf(service), templateLabels(object)),
  );
}

interface Ending {
  /** Seconds. */
  preStop: number;
  longestMs: number;
  servers: readonly { container: JsonObject; server: ModelServer | undefined }[];
}

/** The time of grace begins with the preStop hook, before the signal to stop. */
function cutByGrace(object: KubernetesObject, { preStop, longestMs, servers }: Ending): string | undefined {
  const set = numberAt(podSpecOf(object), 'terminationGracePeriodSeconds');
  const grace = set ?? defaultGrace;
  const killed = `a terminating pod is killed after ${grace} s${set === undefined ? ' (the default)' : ''}`;
  const field = (seconds: number, parts: string) =>
    `set "terminationGracePeriodSeconds: ${preStop + seconds}" in its pod template${preStop === 0 ? '' : ` (preStop of ${preStop} s + ${parts})`}`;
  if (longestMs > 0) {
    const longest = formatDuration(longestMs);
    if (grace >= preStop + secondsOf(longestMs)) return undefined;
    return `${killed}, which cuts requests of up to ${longest}: ${field(secondsOf(longestMs), longest)}`;
  }
  const waits = servers.flatMap(({ server }) => (server?.stopping?.waits === 'seconds' ? server.stopping.seconds : []));
  if (waits.length > 0) {
    const seconds = Math.max(...waits);
    if (grace >= preStop + seconds) return undefined;
    return `${killed}, before the ${seconds} s of "--shutdown-timeout" are over: ${field(seconds, `${seconds} s`)}`;
  }
  const [first] = servers;
  if (first === undefined || set !== undefined) return undefined;
  const who = `container "${stringAt(first.container, 'name') ?? ''}" runs ${first.server?.name ?? ''}`;
  const example = `${preStop + secondsOf(exampleMs)} for requests of ${formatDuration(exampleMs)}`;
  return `${killed}, and ${who}, which may need longer for an answer: set "terminationGracePeriodSeconds" in its pod template to preStop + the longest request (${example}), and the input "longest-request" to have all limits checked`;
}

function cutByServer(server: ModelServer | undefined, longestMs: number): string | undefined {
  const stopping = server?.stopping;
  if (stopping?.waits === 'never') {
    const end = `runs vLLM ${stopping.version} without "--shutdown-timeout", so it aborts all requests on SIGTERM`;
    return longestMs > 0
      ? `${end}: add "--shutdown-timeout=${secondsOf(longestMs)}" to its args`
      : `${end}: add it to its args with the seconds of the longest request, such as "--shutdown-timeout=${secondsOf(exampleMs)}"`;
  }
  if (stopping === undefined || stopping.seconds >= secondsOf(longestMs)) return undefined;
  return `aborts requests ${stopping.seconds} s after SIGTERM, which cuts those of up to ${formatDuration(longestMs)}: set "--shutdown-timeout=${secondsOf(longestMs)}" in its args`;
}

/** How long the hook certainly takes: what a program or a request of its own takes cannot be told. */
function preStopSeconds(container: JsonObject): number {
  const sleep = numberAt(container, 'lifecycle', 'preStop', 'sleep', 'seconds');
  if (sleep !== undefined) return sleep;
  const words = listAt(container, 'lifecycle', 'preStop', 'exec', 'command').filter((word) => typeof word === 'string');
  const found = /(?:^|["'\s/;&(])sleep (?<number>\d{1,6})(?<unit>[smh]?)(?=["'\s;&)]|$)/.exec(words.join(' '))?.groups;
  return Number(found?.['number'] ?? 0) * (found?.['unit'] === 'h' ? 3600 : found?.['unit'] === 'm' ? 60 : 1);
}
