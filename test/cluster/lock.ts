import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from './cache.ts';

/**
 * Runs `work` while no other process of this machine holds the lock `name`. The kernel holds the lock for a child that
 * ends with this process, so a crash leaves none behind.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const folder = join(cacheFolder, 'locks');
  mkdirSync(folder, { recursive: true });
  const holder = spawn('flock', [join(folder, name), 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // Ends with this process's end of the pipe, also after a signal.
  const ended = new Promise<void>((resolve) =>
    holder.once('close', () => {
      resolve();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    holder.once('error', reject);
    holder.stdout.once('data', () => {
      resolve();
    });
    holder.once('close', (code) => {
      reject(new Error(`the lock "${name}" was not given: flock ended with ${code}`));
    });
  });
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
