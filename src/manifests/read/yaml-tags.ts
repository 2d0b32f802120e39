/**
 * What to do about a tag (`!!binary`) that no field of Kubernetes has values for; undefined for any other fault.
 * @param reason what the parser says of the fault; nothing of it is repeated, for the tag may be a password that begins with `!`
 */
export function adviceOnTag(reason: string): string | undefined {
  if (!/^unknown [a-z]+ tag /.test(reason)) return undefined;
  if (reason.includes('!<tag:yaml.org,2002:binary>')) {
    return 'Remove the tag: write text as it is; binary content goes, in base64, into "binaryData" of a ConfigMap or "data" of a Secret.';
  }
  return 'Remove the tag: Kubernetes knows strings, numbers, booleans, lists and maps. A string that starts with "!" needs quotes.';
}
