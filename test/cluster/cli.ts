import { spawnSync } from 'node:child_process';

import { clusterNames, down, ensureBuilt, existing, indexOf, leftovers, logFile, partsOf, up } from './cluster.ts';
import { selftest } from './selftest.ts';

const usage = `usage: script/cluster COMMAND [NAME] …

  up [NAME]               bring up a cluster (NAME is "dev" when left out)
  down [NAME]             end it and remove all that it left on the machine
  status                  the clusters and their parts
  kubeconfig [NAME]       print the path of its kubeconfig
  logs [NAME] PART        print the log of a part
  exec [NAME] -- CMD …    run a command inside the node
  part [NAME] stop|start|kill PART
  build                   only build what a cluster needs
  selftest                bring one up, try it out, and see that nothing is left`;

const [command, ...rest] = process.argv.slice(2);
const partNames = ['kube-', 'kubelet', 'etcd', 'containerd', 'coredns', 'registry', 'lb', 'init'];
const isPart = (word: string | undefined) => partNames.some((prefix) => word?.startsWith(prefix) ?? false);

try {
  await main();
} catch (error) {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) console.error(cause.message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  switch (command) {
    case 'up': {
      const cluster = await up(rest[0] ?? 'dev');
      console.log(`export KUBECONFIG=${cluster.kubeconfig}`);
      break;
    }
    case 'down': {
      const name = rest[0] ?? 'dev';
      const index = indexOf(name);
      await down(name);
      if (index === undefined) break;
      const left = await leftovers(name, index);
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
      break;
    }
    case 'status':
      for (const name of clusterNames()) console.log(`${name}\n${(await partsOf(name)).replaceAll(/^/gm, '  ')}`);
      break;
    case 'kubeconfig':
      console.log((await existing(rest[0] ?? 'dev')).kubeconfig);
      break;
    case 'logs': {
      const [name = 'dev', part = ''] = isPart(rest[0]) ? ['dev', ...rest] : rest;
      spawnSync('cat', [logFile(name, part)], { stdio: 'inherit' });
      break;
    }
    case 'exec': {
      const [name = 'dev', ...argv] = rest[0] === '--' ? ['dev', ...rest.slice(1)] : rest;
      process.stdout.write(await (await existing(name)).exec(argv.filter((word) => word !== '--')));
      break;
    }
    case 'part': {
      const [name = 'dev', action, part = ''] = rest.length === 2 ? ['dev', ...rest] : rest;
      if (action !== 'start' && action !== 'stop' && action !== 'kill') throw new Error(usage);
      await (await existing(name)).part(action, part);
      break;
    }
    case 'build':
      await ensureBuilt();
      break;
    case 'selftest':
      await selftest();
      break;
    default:
      console.error(usage);
      process.exitCode = 2;
  }
}
