/**
 * What a parser has against a text, without what it quotes of it: an alias or a tag may be a password that begins with `*` or `!`. The
 * line and column tell which one is meant.
 */
export function withoutQuoted(reason: string): string {
  return reason
    .replace(/^(unidentified alias|recursive alias|undeclared tag handle) .*$/s, '$1')
    .replace(/^(unknown [a-z]+ tag) (?!!<tag:yaml\.org,2002:[a-z]+>$).*$/s, '$1')
    .replace(/^(tag name cannot contain such characters|cannot resolve a node).*$/s, '$1');
}
