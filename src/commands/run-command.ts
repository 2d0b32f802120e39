import { InvalidInput } from '../base/errors.ts';
import type { Context } from './context.ts';
import { deploy, type DeployOptions } from './deploy.ts';
import type { RunReport } from './report.ts';
import { scale, type ScaleOptions } from './scale.ts';

export type CommandOptions = DeployOptions & ScaleOptions;

/** Runs the command of this name. @throws what the command throws; InvalidInput for one that does not exist yet */
export async function runCommand(context: Context, command: string, options: CommandOptions): Promise<RunReport> {
  switch (command) {
    case 'deploy':
      return await deploy(context, options);
    case 'scale':
      return await scale(context, options);
    default:
      throw new InvalidInput(`the command "${command}" is not available yet`, {
        hint: 'Available are: deploy, scale.',
      });
  }
}
