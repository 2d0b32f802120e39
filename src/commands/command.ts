import type { Context } from '../release/context.ts';
import type { RuleSetId } from '../release/rights.ts';
import type { RunReport } from '../report/run-report.ts';
import type { CommandInputId, CommandInputs, ValuesOf } from './inputs.ts';

/** What every command is told: the release that it is about. */
export interface OfRelease {
  release: string;
  /** Absent: that of the kubeconfig's context. */
  namespace?: string;
}

/** What a command with these inputs is told. */
export type OptionsOf<Id extends CommandInputId> = OfRelease & ValuesOf<Id>;

interface Declaration<Id extends CommandInputId> {
  /** The inputs that have an effect on it, beside those that say where: giving it any other is an error. */
  inputs: readonly Id[];
  /** Those of them that it cannot do without. */
  required: readonly Id[];
  /** What it has to be allowed whatever the release consists of. */
  rights: readonly RuleSetId[];
  /** The command that those rights are for, as messages name it: of a plan, what it plans. */
  asks?: string;
}

interface Command<Id extends CommandInputId> extends Declaration<Id> {
  /** In which namespace it works, where that is not for the workflow to say. @throws InvalidInput */
  namespaceOf?: (context: Context, options: OptionsOf<Id>) => string;
  run: (context: Context, options: OptionsOf<Id>) => Promise<RunReport>;
}

/** Any command: who knows all inputs can run it. */
export interface AnyCommand extends Declaration<CommandInputId> {
  namespaceOf?: (context: Context, options: OfRelease & CommandInputs) => string;
  run: (context: Context, options: OfRelease & CommandInputs) => Promise<RunReport>;
}

/** Declares a command: what it runs is told the inputs that it takes, and no others. */
export function command<const Id extends CommandInputId>(
  declaration: Pick<Command<Id>, 'inputs'> & Omit<Command<NoInfer<Id>>, 'inputs'>,
): Command<Id> {
  return declaration;
}

/** Inputs of commands that wait until workloads are ready. */
export const waitInputs = ['timeout', 'no-progress-timeout', 'unschedulable-grace', 'pause-timeout'] as const;

/** Inputs of commands that change a release, and undo that when they fail. */
export const changeInputs = [...waitInputs, 'undo-on-failure', 'undo-timeout', 'environment'] as const;
