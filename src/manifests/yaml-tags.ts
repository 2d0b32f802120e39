/**
 * What to do about a tag (`!!binary`) that no field of Kubernetes has values for; undefined for any other fault.
 * @param reason what the parser says of the fault
 */
export function adviceOnTag(reason: string): string | undefined {
  const tag = /^unknown \w+ tag !<(?<tag>[^>]*)>/.exec(reason)?.groups?.['tag'];
  if (tag === undefined) return undefined;
  if (tag === 'tag:yaml.org,2002:binary') {
    return 'Remove the tag: a text is written as it is, and what is no text stands in base64 in "binaryData" of a ConfigMap or "data" of a Secret.';
  }
  return 'Remove the tag: Kubernetes knows strings, numbers, booleans, lists and maps.';
}
