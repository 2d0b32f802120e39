import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';

import { load, YAMLException } from 'js-yaml';

import { readBoundedFile } from '../../base/bounded-file.ts';
import { errorCode, InvalidInput } from '../../base/errors.ts';
import { isObject, objectAt, objectsAt, stringAt, type Json, type JsonObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { closest } from '../../base/similar.ts';
import { causeOf } from './file-error.ts';
import { isBase64, isPath, kubeconfigText } from './kubeconfig-text.ts';

/** The entries of one or several kubeconfigs, merged as kubectl does: of two with the same name the first one counts. */
export interface Kubeconfig {
  clusters: JsonObject[];
  users: JsonObject[];
  contexts: JsonObject[];
  currentContext: string;
}

/** Paths in a kubeconfig that are relative to the file they stand in. */
const relativePaths = {
  cluster: ['certificate-authority'],
  user: ['client-certificate', 'client-key', 'tokenFile'],
} as const;

/**
 * Reads a kubeconfig given as text, as text in base64, or as one or more paths (separated as in PATH).
 * @throws InvalidInput when none of the files exists or one cannot be read as a kubeconfig
 */
export function readKubeconfig(source: string, cwd: string): Kubeconfig {
  const text = kubeconfigText(source);
  if (text !== undefined) return merge([parse(text, 'the input "kubeconfig"', cwd)]);
  const paths = source
    .split(delimiter)
    .filter((path) => path !== '')
    .map((path) => resolve(cwd, path));
  const configs = paths.flatMap((path) => {
    const text = readIfThere(path);
    return text === undefined ? [] : [parse(text, `"${path}"`, dirname(path))];
  });
  if (configs.length === 0 && isBase64(source)) {
    throw new InvalidInput('the input "kubeconfig" is neither a path nor a kubeconfig in base64', {
      hint: 'Set it to the whole content of a kubeconfig, as is or in base64, or to its path.',
    });
  }
  if (configs.length === 0 && !isPath(source)) {
    throw new InvalidInput('the kubeconfig is neither a path nor the content of a kubeconfig', {
      hint: 'Set it to the whole content of a kubeconfig, as is or in base64, or to its path.',
    });
  }
  if (configs.length === 0) {
    throw new InvalidInput(`there is no kubeconfig at ${paths.map((path) => `"${path}"`).join(', ')}`, {
      hint: 'Set the input "kubeconfig" to a path or the content of a kubeconfig, or "cluster" to sign in to GKE.',
    });
  }
  return merge(configs);
}

/** The context of this name, or the current one; @throws InvalidInput that lists the contexts there are. */
export function chooseContext(config: Kubeconfig, wanted: string | undefined): string {
  const names = config.contexts.flatMap((context) => stringAt(context, 'name') ?? []);
  const listed = names.length === 0 ? 'it has none' : `it has ${names.map((name) => `"${name}"`).join(', ')}`;
  const name = wanted ?? config.currentContext;
  if (name === '') {
    throw new InvalidInput(`the kubeconfig has no current context; ${listed}`, {
      hint: 'Set the input "context" to one of them.',
    });
  }
  if (names.includes(name)) return name;
  const near = closest(name, names);
  throw new InvalidInput(`the kubeconfig has no context "${name}"; ${listed}`, {
    hint: near === undefined ? 'Set the input "context" to one of them.' : `Did you mean "${near}"?`,
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readBoundedFile(path, `the kubeconfig "${path}"`, limits.kubeconfigFile).toString();
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    if (['ENOENT', 'ENAMETOOLONG'].includes(errorCode(error))) return undefined;
    const shown = isPath(path) ? ` "${path}"` : '';
    throw new InvalidInput(`cannot read the kubeconfig${shown}: ${causeOf(error)}`, {
      cause: error,
      hint: 'Set the input "kubeconfig" to a readable file.',
    });
  }
}

function parse(text: string, name: string, folder: string): JsonObject {
  let value: Json | undefined;
  try {
    value = load(text) as Json | undefined;
  } catch (error) {
    // The message of the YAML library quotes lines of the file, which may hold a token.
    const line = error instanceof YAMLException && error.mark !== undefined ? ` in line ${error.mark.line + 1}` : '';
    throw new InvalidInput(`the kubeconfig ${name} is not valid YAML${line}`, { hint: 'Fix it there.' });
  }
  if (!isObject(value)) {
    throw new InvalidInput(`the kubeconfig ${name} is not a kubeconfig`, {
      hint: 'Expected a map with clusters, users and contexts.',
    });
  }
  for (const [key, fields] of Object.entries(relativePaths)) {
    for (const entry of objectsAt(value, `${key}s`)) {
      const inner = entry[key];
      if (!isObject(inner)) continue;
      for (const field of fields) {
        const path = stringAt(inner, field);
        if (path !== undefined && !isAbsolute(path)) inner[field] = join(folder, path);
      }
    }
  }
  for (const user of objectsAt(value, 'users')) {
    const exec = objectAt(user, 'user', 'exec');
    const command = stringAt(exec, 'command');
    // A bare name is looked up in PATH.
    if (command?.includes('/') === true && !isAbsolute(command)) exec['command'] = join(folder, command);
  }
  return value;
}

function merge(configs: readonly JsonObject[]): Kubeconfig {
  const entries = (key: string) => {
    const byName = new Map<string, JsonObject>();
    for (const entry of configs.flatMap((config) => objectsAt(config, key))) {
      const name = stringAt(entry, 'name') ?? '';
      if (!byName.has(name)) byName.set(name, entry);
    }
    return [...byName.values()];
  };
  const currentContext = configs.map((config) => stringAt(config, 'current-context') ?? '').find((name) => name !== '');
  return {
    clusters: entries('clusters'),
    users: entries('users'),
    contexts: entries('contexts'),
    currentContext: currentContext ?? '',
  };
}
