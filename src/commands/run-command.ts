import { InvalidInput } from '../base/errors.ts';
import { Bounds } from '../release/bounds.ts';
import { RightsCheck } from '../release/rights-check.ts';
import { abort } from './abort.ts';
import type { Context } from '../release/context.ts';
import { deploy, type DeployOptions } from './deploy.ts';
import { expectOfCommand } from './needs.ts';
import { pause, restart, resume } from './pausing.ts';
import { promote, type PromoteOptions } from './promote.ts';
import type { RunReport } from '../report/run-report.ts';
import { rollback, type RollbackOptions } from './rollback.ts';
import { scale, type ScaleOptions } from './scale.ts';
import { status } from './status.ts';

export type CommandOptions = DeployOptions & ScaleOptions & RollbackOptions & PromoteOptions;

/** The commands that exist, by name. */
const commands: Readonly<Record<string, (context: Context, options: CommandOptions) => Promise<RunReport>>> = {
  deploy,
  promote,
  abort,
  scale,
  rollback,
  pause,
  resume,
  restart,
  status,
};

/** Runs the command of this name. @throws what the command throws; InvalidInput for one that does not exist yet */
export async function runCommand(context: Context, command: string, options: CommandOptions): Promise<RunReport> {
  const run = commands[command];
  if (run !== undefined) {
    const { client, reporter } = context;
    const rights = new RightsCheck(client, reporter, { command, release: options.release });
    const { release, namespace = client.defaultNamespace } = options;
    const bounds = new Bounds(client, { namespace, release });
    const checked = { ...context, rights, bounds };
    expectOfCommand(checked, command, namespace);
    const endGuard = bounds.guard();
    try {
      return await run(checked, options);
    } catch (error) {
      throw await rights.explain(error);
    } finally {
      endGuard();
    }
  }
  throw new InvalidInput(`the command "${command}" is not available yet`, {
    hint: `Available are: ${Object.keys(commands).join(', ')}.`,
  });
}
