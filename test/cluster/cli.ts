import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { control, down, ensureBuilt, enter, existing, leftovers, up, type PartAction } from './cluster.ts';
import { filesOf } from './node.ts';
import { selftest } from './selftest.ts';
import { clusterNames, nodeOf, readState } from './state.ts';

const usage = `usage: script/cluster COMMAND [NAME] …

  up [NAME]               bring up a cluster ("dev" when NAME is left out); does nothing when it is up
  down [NAME]             end it and remove all that it left on the machine
  status                  the clusters, and the parts of each with their pids inside the node (0: not running)
  kubeconfig [NAME]       print the path of its kubeconfig
  logs [NAME] PART        print the log of a part
  exec [NAME] -- CMD …    run a command inside the node
  part [NAME] start|stop|restart|kill PART
  build                   only build what a cluster needs
  selftest                bring one up, try it out, crash it, and see that nothing is left`;

const defaultName = 'dev';
const partActions: readonly string[] = ['start', 'stop', 'restart', 'kill'] satisfies PartAction[];
const isPartAction = (word: string | undefined): word is PartAction => word !== undefined && partActions.includes(word);

const [command, ...rest] = process.argv.slice(2);
try {
  process.exitCode = await main(rest);
} catch (error) {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) console.error(cause.message);
  process.exitCode = 1;
}

/** Returns the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const name = words[0] ?? defaultName;
  switch (command) {
    case 'up':
      console.log(`export KUBECONFIG=${(await up(name)).kubeconfig}`);
      return 0;
    case 'down':
      return await end(name);
    case 'status':
      return await status();
    case 'kubeconfig':
      console.log((await existing(name)).kubeconfig);
      return 0;
    case 'logs':
      return words.length === 2 ? logs(name, words[1] ?? '') : logs(defaultName, words[0] ?? '');
    case 'exec': {
      const at = words.indexOf('--');
      if (at < 0) throw new Error(usage);
      const argv = enter(at === 0 ? defaultName : name, words.slice(at + 1));
      return spawnSync('nsenter', argv, { stdio: 'inherit' }).status ?? 1;
    }
    case 'part': {
      const [action, part] = words.slice(-2);
      if (words.length > 3 || !isPartAction(action) || part === undefined) throw new Error(usage);
      await (await existing(words.length === 3 ? name : defaultName)).part(action, part);
      return 0;
    }
    case 'build':
      await ensureBuilt();
      return 0;
    case 'selftest':
      await selftest();
      return 0;
    default:
      console.error(usage);
      return 2;
  }
}

async function end(name: string): Promise<number> {
  const index = readState(name)?.index;
  await down(name);
  const left = index === undefined ? [] : await leftovers(name, index);
  for (const thing of left) console.error(`left behind: ${thing}`);
  return left.length === 0 ? 0 : 1;
}

async function status(): Promise<number> {
  for (const name of clusterNames()) {
    const parts = nodeOf(name) === undefined ? 'down; "script/cluster down" cleans up' : await control(name, 'status');
    console.log(`${name}\n${parts.replaceAll(/^/gm, '  ')}`);
  }
  return 0;
}

function logs(name: string, part: string): number {
  const { logs: folder } = filesOf(name);
  const file = join(folder, `${part}.log`);
  if (!existsSync(file)) {
    const known = existsSync(folder) ? readdirSync(folder).map((entry) => entry.replace(/\.log$/, '')) : [];
    throw new Error(`the cluster "${name}" has no log of "${part}"; it has ${known.join(', ') || 'none'}`);
  }
  return spawnSync('cat', [file], { stdio: 'inherit' }).status ?? 1;
}
