/** What relative paths in inputs are relative to. */
export function workspace(env: NodeJS.ProcessEnv): string {
  const given = env['GITHUB_WORKSPACE'] ?? '';
  return given === '' ? process.cwd() : given;
}
