import { Bounds } from '../release/bounds.ts';
import type { Context } from '../release/context.ts';
import { RightsCheck } from '../release/rights-check.ts';
import type { RunReport } from '../report/run-report.ts';
import { abort } from './abort.ts';
import type { AnyCommand, OfRelease } from './command.ts';
import { deploy } from './deploy.ts';
import type { CommandInputs } from './inputs.ts';
import { expectOfCommand } from './needs.ts';
import { pause, restart, resume } from './pausing.ts';
import { plan } from './plan.ts';
import { preview } from './preview.ts';
export { recordTask } from './preview/asked.ts';
export { skippedWithoutCredentials } from './preview/without-credentials.ts';
import { promote } from './promote.ts';
import { rollback } from './rollback.ts';
import { scale } from './scale.ts';
import { status } from './status.ts';
import { teardown } from './teardown.ts';

/** The commands that there are, in the order in which they are documented: what action.yml offers and what runs comes from here. */
export const commands = {
  deploy,
  promote,
  abort,
  rollback,
  scale,
  pause,
  resume,
  restart,
  status,
  plan,
  preview,
  teardown,
} as const satisfies Readonly<Record<string, AnyCommand>>;

export type CommandName = keyof typeof commands;

export const commandNames = Object.keys(commands) as readonly CommandName[];

/** Runs a command within what it is allowed and what the release may touch. @throws what the command throws */
export async function runCommand(
  context: Context,
  name: CommandName,
  options: OfRelease & CommandInputs,
): Promise<RunReport> {
  const { client, reporter } = context;
  const command: AnyCommand = commands[name];
  const { release } = options;
  const namespace = command.namespaceOf?.(context, options) ?? options.namespace ?? client.defaultNamespace;
  const rights = new RightsCheck(client, reporter, { command: command.asks ?? name, release });
  const bounds = new Bounds(client, { namespace, release });
  const checked = { ...context, rights, bounds };
  expectOfCommand(checked, command.rights, namespace);
  const endGuard = bounds.guard();
  try {
    return await command.run(checked, options);
  } catch (error) {
    throw await rights.explain(error);
  } finally {
    endGuard();
  }
}
