import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import { containerSigns } from '../../../../src/rollout/failures/container.ts';
import { crashed, podOf, timeAt, waiting } from '../../../support/rollout-objects.ts';

/** `final: message` of the only sign, with its grace in seconds where it has one. */
function signOf(
  status: JsonObject,
  { siblings = false, spec = {}, init = false }: { siblings?: boolean; spec?: JsonObject; init?: boolean } = {},
): string {
  const pod = podOf(
    undefined,
    init ? { status: { initContainerStatuses: [status] }, spec } : { containers: [status], spec },
  );
  const signs = containerSigns(pod, siblings);
  return signs
    .map((sign) => `${sign.state}${sign.state === 'mayHeal' ? ` ${sign.graceMs / 1000}s` : ''}: ${sign.cause.message}`)
    .join('\n');
}

const running = { running: { startedAt: timeAt(0) } };

describe('a container that crashes', () => {
  test.each([
    [
      'once is common at a start (skaffold#5210)',
      crashed(1),
      'diagnostic: container "web" keeps crashing (exit code 1, 1 restart)',
    ],
    ['twice is final', crashed(2), 'final: container "web" keeps crashing (exit code 1, 2 restarts)'],
    [
      'by a signal says which',
      crashed(2, { exitCode: 139 }),
      'final: container "web" keeps crashing (exit code 139: SIGSEGV, invalid memory access; 2 restarts)',
    ],
    [
      'without an error says that its program ends',
      crashed(2, { exitCode: 0, reason: 'Completed' }),
      'final: container "web" keeps exiting (exit code 0: its program has finished; 2 restarts)',
    ],
    [
      'for lack of memory says so',
      crashed(2, { exitCode: 137, reason: 'OOMKilled' }),
      'final: container "web" was killed for exceeding its memory limit (OOMKilled, exit code 137, 2 restarts)',
    ],
    ['and runs again after one crash shows nothing', crashed(1, { state: running }), ''],
    [
      'and runs again after more is looked at',
      crashed(2, { state: running }),
      'diagnostic: container "web" keeps crashing (exit code 1, 2 restarts)',
    ],
  ])('%s', (_, status, expected) => {
    expect(signOf(status)).toBe(expected);
  });

  test('beside healthy pods of its version needs more crashes to speak for all', () => {
    expect(signOf(crashed(3), { siblings: true })).toContain('diagnostic');
    expect(signOf(crashed(4), { siblings: true })).toContain('final');
  });

  test('in a pod of a Job is left to the backoffLimit of the Job (tuppr#532)', () => {
    expect(signOf(crashed(5), { spec: { restartPolicy: 'OnFailure' } })).toContain('diagnostic');
    expect(signOf(crashed(5), { spec: { restartPolicy: 'Never' } })).toContain('diagnostic');
  });

  test('as an init container counts as well (helm#6270)', () => {
    expect(signOf({ ...crashed(2), name: 'migrate' }, { init: true })).toMatch(/^final: .*container "migrate"/);
  });

  test('as a native sidecar counts as well', () => {
    const spec = { initContainers: [{ name: 'proxy', image: 'registry.test/proxy:1', restartPolicy: 'Always' }] };
    expect(signOf({ ...crashed(2), name: 'proxy' }, { init: true, spec })).toMatch(/^final: .*container "proxy"/);
  });

  test('but an init container that came to its end shows nothing, whatever it did before', () => {
    const ended = { terminated: { exitCode: 0, reason: 'Completed' } };
    expect(signOf({ ...crashed(3, { state: ended }), name: 'migrate' }, { init: true })).toBe('');
  });

  test('tells since when', () => {
    const [sign] = containerSigns(podOf(undefined, { containers: [crashed(2, { at: 7 })] }), false);
    expect(sign?.cause.since).toBe(Date.parse(timeAt(7)));
  });
});

const runc =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';

describe('a container that cannot start', () => {
  test.each([
    [
      'for a missing ConfigMap',
      waiting('CreateContainerConfigError', 'configmap "absent" not found'),
      'final: container "web" cannot be created: configmap "absent" not found',
    ],
    [
      'for a missing key',
      waiting('CreateContainerConfigError', `couldn't find key x in ConfigMap shop/web`),
      `final: container "web" cannot be created: couldn't find key x in ConfigMap shop/web`,
    ],
    [
      'for a ConfigMap that is called after a cache is final all the same',
      waiting('CreateContainerConfigError', 'configmap "cache-config" not found'),
      'final: container "web" cannot be created: configmap "cache-config" not found',
    ],
    [
      'for a cache that is not filled yet waits (kubernetes#74755)',
      waiting('CreateContainerConfigError', 'failed to sync configmap cache: timed out waiting for the condition'),
      'diagnostic: container "web": failed to sync configmap cache: timed out waiting for the condition',
    ],
    [
      'for an image that runs as root is told of the user, not of a key',
      waiting(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image will run as root (pod: "monkey_shop(1)", container: web)',
      ),
      'final: container "web" must not run as root (runAsNonRoot), but its image runs as root',
    ],
    [
      'for a user without a number',
      waiting(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image has non-numeric user (nobody), cannot verify user is non-root (pod: "a", container: web)',
      ),
      'final: container "web" must not run as root (runAsNonRoot), and it is unknown whether the user "nobody" of its image is root',
    ],
    [
      'for runAsUser 0',
      waiting('CreateContainerConfigError', 'container\'s runAsUser breaks non-root policy (pod: "a", container: web)'),
      'final: container "web" must not run as root (runAsNonRoot), but its runAsUser is 0',
    ],
    [
      'for a mount is not told as a missing program',
      waiting(
        'RunContainerError',
        `${runc}error mounting "/var/lib/kubelet/x" to rootfs at "/etc/app": no such file or directory: unknown`,
      ),
      'mayHeal 5s: container "web" cannot start: nothing can be mounted at "/etc/app": no such file or directory',
    ],
    [
      'for a working directory is not told as a missing program',
      waiting(
        'RunContainerError',
        `${runc}chdir to cwd ("/srv") set in config.json failed: permission denied: unknown`,
      ),
      'mayHeal 5s: container "web" cannot start: its working directory "/srv" cannot be used: permission denied',
    ],
    [
      'for a missing program',
      waiting('RunContainerError', `${runc}exec: "serve": executable file not found in $PATH: unknown`),
      'mayHeal 5s: container "web" cannot start: there is no program "serve" in the image',
    ],
    [
      'for a program of another processor',
      waiting('RunContainerError', `${runc}exec /serve: exec format error`),
      'mayHeal 5s: container "web" cannot start: its program is built for another CPU architecture',
    ],
    [
      'for a program without the right to run',
      waiting('StartError', `${runc}exec: "/serve": permission denied: unknown`),
      'mayHeal 5s: container "web" cannot start: ',
    ],
    [
      'for a reason of the runtime',
      waiting('CreateContainerError', 'context deadline exceeded'),
      'mayHeal 30s: container "web" cannot start: context deadline exceeded',
    ],
  ])('%s', (_, status, expected) => {
    expect(signOf(status)).toContain(expected);
  });

  test('says it also while it backs off', () => {
    const ended = {
      exitCode: 128,
      reason: 'StartError',
      message: `${runc}exec: "serve": executable file not found in $PATH`,
    };
    expect(signOf(waiting('CrashLoopBackOff', '', { restartCount: 2, lastState: { terminated: ended } }))).toBe(
      'mayHeal 5s: container "web" cannot start: there is no program "serve" in the image',
    );
  });

  test('is not judged while it is created', () => {
    expect(signOf(waiting('ContainerCreating'))).toBe('');
    expect(signOf(waiting('PodInitializing'))).toBe('');
  });
});
