/**
 * Texts that are secret by their form, whoever has written them: a plugin that complains, an application, a proxy. Each expression is
 * linear, and needs the characters that it begins with.
 */
const shapes: readonly (readonly [RegExp, string])[] = [
  // A password before the host of a URL.
  [/(?<=:\/\/)[^\s/@"'<>]{1,1000}@/g, '***@'],
  [/\b(?<scheme>Bearer|Basic) +[\w.~+/-]{12,}=*/g, '$<scheme> ***'],
  // JSON Web Tokens, such as those of service accounts.
  [/\beyJ[\w-]{10,500}\.[\w-]{10,8000}(?:\.[\w-]{0,2000})?/g, '***'],
  // As JSON has it.
  [
    /(?<field>"(?:access_token|id_token|refresh_token|client_secret|private_key|clientKeyData|password|token)"\s?:\s?")(?:[^"\\]|\\.)+/gi,
    '$<field>***',
  ],
  // Google, GitHub, GitLab, Slack, AWS.
  [/\bya29\.[\w.-]{10,}/g, '***'],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)\w[\w-]{15,}/g, '***'],
  [/\bAKIA[0-9A-Z]{16}\b/g, '***'],
  [
    /-----BEGIN (?<what>[A-Z ]{0,40})PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}-----)?/g,
    '-----BEGIN $<what>PRIVATE KEY----- ***',
  ],
];

/** The text without what looks like a credential. */
export function hideShapes(text: string): string {
  return shapes.reduce((rest, [shape, instead]) => rest.replace(shape, instead), text);
}
