import { load } from 'js-yaml';

import { isObject, type Json } from '../base/json.ts';
import { isMaskable } from '../base/telling.ts';
import { secretsOfConfig } from '../kubernetes/connect/kubeconfig-secrets.ts';
import { isBase64, isPath, kubeconfigText } from '../kubernetes/connect/kubeconfig-text.ts';

/**
 * What must never show in a log when a kubeconfig is given as text, or in base64. Not the text as a whole: the runner masks every line
 * of a secret by itself, and a line such as `users:` or `{` would then be *** wherever it occurs. For a path there is
 * nothing to mask; what is neither is as secret as what it was meant to be.
 */
export function secretsOfKubeconfig(source: string): string[] {
  const text = kubeconfigText(source);
  // All of it, in base64, is as good as what is inside.
  const isWhole = isBase64(source) || (text === undefined && !isPath(source));
  const whole = isWhole ? source.split(/\s+/).filter(isMaskable) : [];
  return text === undefined ? whole : [...whole, ...secretsOfText(text)];
}

function secretsOfText(source: string): string[] {
  let config: Json | undefined;
  try {
    config = load(source) as Json | undefined;
  } catch {
    return unparsedSecrets(source);
  }
  return isObject(config) ? secretsOfConfig(config) : unparsedSecrets(source);
}

/** A text that is no YAML is refused later on, but its secrets are secrets all the same. */
function unparsedSecrets(source: string): string[] {
  const matches = source.matchAll(
    /\\?["']?(?:token|password|client-key-data|access-token|id-token|refresh-token|client-secret)\\?["']?\s*:\s*\\?["']?([^\s"',}\\]+)/g,
  );
  const addresses = source.matchAll(/:\/\/([^\s"'/@]{1,1000})@/g);
  const found = [...matches, ...addresses].map((match) => match[1] ?? '');
  return [...new Set(found.flatMap((text) => [text, ...text.split(':').slice(1)]))].filter(isMaskable);
}
