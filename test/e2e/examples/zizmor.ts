import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from '../../cluster/cache.ts';
import { withLock } from '../../cluster/lock.ts';
import { run } from '../../cluster/run.ts';
import { ensureTools } from '../../cluster/tools.ts';

/** Version and hashes stand here and nowhere else. */
const requirements = join(import.meta.dirname, 'requirements.txt');

/** The path of zizmor, the auditor of workflow files; gets it from the Python index where the cache lacks it. */
export async function ensureZizmor(): Promise<string> {
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(cacheFolder, 'bin', `zizmor-${key}`);
  if (!existsSync(folder)) await withLock('zizmor', () => install(folder));
  return join(folder, 'bin/zizmor');
}

/** Beside the target and then renamed, so that nobody ever sees half of it. */
async function install(folder: string): Promise<void> {
  // Another process may have done it while this one waited for the lock.
  if (existsSync(folder)) return;
  await ensureTools({ python3: 'python3', pip3: 'python3-pip' });
  const temporary = `${folder}.unfinished`;
  rmSync(temporary, { recursive: true, force: true });
  const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--target', temporary];
  await run('pip3', ['install', ...options, '--requirement', requirements], {
    env: { PIP_ROOT_USER_ACTION: 'ignore', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  });
  renameSync(temporary, folder);
}
