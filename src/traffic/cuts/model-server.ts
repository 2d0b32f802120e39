import { listAt, stringAt, type JsonObject } from '../../base/json.ts';

/** A program that answers with what a model makes, token by token, so that one request may take minutes. */
export interface ModelServer {
  /** As its makers write it: `vLLM`. */
  name: string;
  /** Of vLLM alone: what it does with requests when it is told to stop; undefined where that cannot be told from outside. */
  stopping?: Stopping;
}

/** @see https://github.com/vllm-project/vllm/pull/36666, from v0.18.0 on */
export type Stopping =
  /** It answers what it has begun for so long. */
  | { waits: 'seconds'; seconds: number }
  /** It aborts all at once, as by default. */
  | { waits: 'never'; version: string };

interface Known {
  name: string;
  /** A word of the last part of the image's name. */
  word: RegExp;
  /** How it is started. */
  start: RegExp;
}

const known: readonly Known[] = [
  { name: 'vLLM', word: /^vllm$/, start: /(?:^|[\s/])vllm serve\b|\bvllm\.entrypoints\./ },
  { name: 'SGLang', word: /^sglang$/, start: /\bsglang\.launch_server\b|(?:^|[\s/])sglang serve\b/ },
  { name: 'Text Generation Inference', word: /^tgi$/, start: /\btext-generation-launcher\b/ },
  { name: 'Triton', word: /^tritonserver$/, start: /(?:^|[\s/])tritonserver(?:\s|$)/ },
  { name: 'Ollama', word: /^ollama$/, start: /(?:^|[\s/])ollama serve\b/ },
];

/** What stands beside a model server and goes by its name. */
const companions =
  /^(?:bench|benchmark|client|controller|dashboard|exporter|gateway|metrics|operator|proxy|router|sidecar|ui|webui)$/;

/** By the container's image, or by how it is started. Its arguments alone may just name where another one is. */
export function modelServerIn(container: JsonObject): ModelServer | undefined {
  const image = imageOf(container);
  const started = commandLine(container);
  const words = image.name.replaceAll('text-generation-inference', 'tgi').split(/[-_.]/);
  const isCompanion = words.some((word) => companions.test(word));
  const found = known.find(
    ({ word, start }) => start.test(started) || (!isCompanion && words.some((one) => word.test(one))),
  );
  if (found === undefined) return undefined;
  const stopping = found.name === 'vLLM' ? stoppingOf(image, started) : undefined;
  return { name: found.name, ...(stopping === undefined ? {} : { stopping }) };
}

function stoppingOf({ name, tag }: Image, started: string): Stopping | undefined {
  const flag = /--shutdown[-_]timeout(?:[=\s]+["']?(?<value>\S+))?/.exec(started);
  if (flag !== null) {
    const seconds = Number.parseInt(flag.groups?.['value'] ?? '', 10);
    return Number.isNaN(seconds) ? undefined : { waits: 'seconds', seconds };
  }
  // A file may hold what the command line lacks; and other images have versions of their own.
  if (/--config\b/.test(started) || !/^vllm(?:-openai.*)?$/.test(name)) return undefined;
  const version = /^v?(?<major>\d+)\.(?<minor>\d+)(?:\.\d+)?/.exec(tag);
  const [major, minor] = [Number(version?.groups?.['major']), Number(version?.groups?.['minor'])];
  return version !== null && (major > 0 || minor >= 18)
    ? { waits: 'never', version: version[0].replace(/^v/, '') }
    : undefined;
}

interface Image {
  /** Without registry and path. */
  name: string;
  tag: string;
}

function imageOf(container: JsonObject): Image {
  const [whole = ''] = (stringAt(container, 'image') ?? '').toLowerCase().split('@', 1);
  const [name = '', tag = ''] = (whole.split('/').at(-1) ?? '').split(':', 2);
  return { name, tag };
}

function commandLine(container: JsonObject): string {
  const parts = [...listAt(container, 'command'), ...listAt(container, 'args')];
  return parts.filter((part) => typeof part === 'string').join(' ');
}
