import { objectsAt, stringAt } from '../../../src/base/json.ts';
import { figure } from '../../support/figure.ts';
import { kubectlJson } from '../../support/kubectl.ts';
import type { StepResult } from '../../support/step.ts';
import { Stage, type Inputs } from '../../support/strategy-stage.ts';
import { Streams, type Stream } from '../../support/streams.ts';
import { manifestOf, type Ending, type Version } from './application.ts';

const release = 'llm';

/** One answer takes that long, as the run is told; another one begins every two seconds, so that about 30 are under way. */
const seconds = 60;
const everyMs = 2000;

/** How many are under way before anything changes. */
const first = 8;

/** What a run advises for manifests and inputs as people begin with. */
export interface Advice extends Pick<Ending, 'grace'> {
  keepOldFor?: string;
}

/** A release in a namespace of its own with a client that streams all the time, and the action at work on it. */
export class Scene implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #inputs: Inputs;
  readonly #preStop: number | undefined;
  #streams: Streams | undefined;

  private constructor(stage: Stage, inputs: Inputs, preStop: number | undefined) {
    this.#stage = stage;
    this.#inputs = inputs;
    this.#preStop = preStop;
  }

  /** @param inputs of each deploy */
  static async open(
    strategy: 'rolling' | 'canary' | 'blue-green',
    { inputs = {}, preStop }: { inputs?: Inputs } & Pick<Ending, 'preStop'> = {},
  ): Promise<Scene> {
    const stage = await Stage.open(strategy);
    const all = { strategy, 'longest-request': `${seconds}s`, timeout: '240s', ...inputs };
    return new Scene(stage, all, preStop);
  }

  /** What a plan says that would cut streams, with the numbers to set; exactly as it is told, at its line. */
  async advised(): Promise<{ told: string[]; advice: Advice }> {
    const planned = await this.#run({ command: 'plan', manifests: '.' }, '1.0.0');
    const told = cutsIn(planned);
    const text = told.join('\n');
    const grace = /set "terminationGracePeriodSeconds: (\d+)"/.exec(text)?.[1];
    const keepOldFor = /set "keep-old-for: (\w+)"/.exec(text)?.[1];
    return {
      told,
      advice: {
        ...(grace === undefined ? {} : { grace: Number(grace) }),
        ...(keepOldFor === undefined ? {} : { keepOldFor }),
      },
    };
  }

  async deploy(version: Version, advice: Advice = {}): Promise<Said> {
    const { keepOldFor } = advice;
    const keeps = keepOldFor === undefined ? {} : { 'keep-old-for': keepOldFor };
    const result = await this.#run({ manifests: '.', ...keeps }, version, advice);
    return saidBy(result);
  }

  async command(command: string): Promise<Said> {
    const result = await this.#stage.command(release, command, { timeout: '240s' });
    if (result.exit !== 0) throw new Error(`${command} failed: ${result.log}`);
    return saidBy(result);
  }

  /** Begins to stream, or goes on with it, until some streams come from this version. */
  async streamFrom(version: Version): Promise<void> {
    if (this.#streams === undefined) {
      const { spec } = await this.#stage.read('service', release);
      this.#streams = new Streams(`http://${stringAt(spec, 'clusterIP') ?? ''}`, { seconds, everyMs });
    }
    await this.#streams.reach(first, version);
  }

  /** Begins no more streams and waits for the last line of each. Prints what became of them, under a name. */
  async end(name: string): Promise<Ended> {
    const streams = this.#streams;
    if (streams === undefined) throw new Error('nothing has streamed');
    await streams.stop();
    const { begun, cut } = streams;
    const told = await this.#toldToEnd();
    const held = begun.filter(({ pod = '', begunMs, endedMs = Infinity }) => {
      const time = told.get(pod);
      return time !== undefined && begunMs < time && time < endedMs;
    });
    const { begunMs: switchedMs = Infinity } = begun.find(({ version }) => version === '2.0.0') ?? {};
    const across = begun.filter(({ version, endedMs = 0 }) => version === '1.0.0' && endedMs > switchedMs);
    figure(`streams-${name}-begun`, begun.length);
    figure(`streams-${name}-under-way-when-their-pod-was-told-to-end`, held.length);
    figure(`streams-${name}-cut`, cut.length);
    return { begun: begun.length, held: held.length, across: across.length, cut };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#streams?.[Symbol.asyncDispose]();
    await this.#stage[Symbol.asyncDispose]();
  }

  async #run(inputs: Inputs, version: Version, { grace }: Advice = {}): Promise<StepResult> {
    const preStop = this.#preStop;
    const ending = { ...(grace === undefined ? {} : { grace }), ...(preStop === undefined ? {} : { preStop }) };
    const files = { 'app.yaml': manifestOf(release, version, ending) };
    const result = await this.#stage.run(release, { ...this.#inputs, ...inputs }, files);
    if (result.exit !== 0) throw new Error(`${inputs['command'] ?? 'deploy'} failed: ${result.log}`);
    return result;
  }

  /** When the kubelet began to stop each pod, by its events; milliseconds since the epoch. */
  async #toldToEnd(): Promise<Map<string, number>> {
    const { namespace } = this.#stage;
    const list = await kubectlJson(['-n', namespace, 'get', 'events', '--field-selector=reason=Killing']);
    return new Map(
      objectsAt(list, 'items').map((event) => [
        stringAt(event, 'involvedObject', 'name') ?? '',
        Date.parse(stringAt(event, 'firstTimestamp') ?? ''),
      ]),
    );
  }
}

/** What a run says. */
interface Said {
  status: string;
  log: string;
  /** Its warnings of what would cut streams. */
  told: string[];
}

function saidBy(result: StepResult): Said {
  return { status: result.outputs['status'] ?? '', log: result.log, told: cutsIn(result) };
}

export interface Ended {
  begun: number;
  /** How many were under way when their pod was told to end. */
  held: number;
  /** How many of 1.0.0 ended when 2.0.0 had answered already. */
  across: number;
  cut: readonly Stream[];
}

function cutsIn({ log }: StepResult): string[] {
  return log.split('\n').filter((line) => line.startsWith('::warning') && line.includes('requests of up to'));
}
