import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run, waitUntil } from '../../cluster/run.ts';
import { ensureTools, tool } from '../../cluster/tools.ts';

export interface Proxy extends AsyncDisposable {
  url: string;
  /** Hosts and ports that it was asked to connect to, in order, each once. */
  connected(): string[];
}

/** tinyproxy, in a mount namespace where these names lead to one address. */
export async function startProxy(names: readonly string[], address: string): Promise<Proxy> {
  await ensureTools({ tinyproxy: 'tinyproxy' });
  const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-proxy-'));
  const file = (name: string) => join(folder, name);
  const port = await freePort();
  writeFileSync(file('hosts'), `127.0.0.1 localhost\n${address} ${names.join(' ')}\n`);
  writeFileSync(file('log'), '');
  writeFileSync(
    file('conf'),
    `Port ${port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 100\nLogFile "${file('log')}"\nLogLevel Connect\n`,
  );
  const script = 'mount --bind "$1" /etc/hosts && exec "$2" -d -c "$3"';
  const args = ['--mount', 'sh', '-c', script, 'sh', file('hosts'), tool('tinyproxy'), file('conf')];
  const child = spawn('unshare', args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await waitUntil('tinyproxy listens', 10_000, async () => {
    await run('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`]);
    return true;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    connected: () => {
      const found = readFileSync(file('log'), 'utf8').matchAll(/: CONNECT (?<target>\S+) HTTP/g);
      return [...new Set([...found].map((match) => match.groups?.['target'] ?? ''))];
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
