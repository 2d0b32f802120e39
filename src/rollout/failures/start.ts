import type { Cause } from '../verdict.ts';
import { diagnostic, final, mayHeal, type Sign } from './sign.ts';

export type Where = Pick<Cause, 'object' | 'path' | 'container'>;

const startGraceMs = 5000;
const otherGraceMs = 30_000;
/** Of texts of the container runtime, the end of which tells. */
const maxTextLength = 300;

const configError = 'CreateContainerConfigError';

/** Why the kubelet cannot put a container together (kubernetes pkg/kubelet/kuberuntime, pkg/kubelet/kubelet_pods.go). */
export function configSign(what: string, message: string, where: Where): Sign {
  // Its caches are not filled yet (kubernetes#74755): `failed to sync configmap cache: timed out …`.
  if (/failed to sync \w+ cache|services have not yet been read/i.test(message))
    return diagnostic({ ...where, reason: configError, message: `${what}: ${message}` });
  const user = userCause(message);
  if (user !== undefined)
    return final({ ...where, reason: configError, message: `${what} ${user.text}`, hint: user.hint });
  return final({
    ...where,
    reason: configError,
    message: `${what} cannot be created: ${message}`,
    hint: /^(?:configmap|secret) "[^"]*" not found|^couldn't find key /i.test(message)
      ? 'Add the ConfigMap or Secret to the manifests, or fix its name or key.'
      : 'Fix what the message says.',
  });
}

/** `runAsNonRoot` (kubernetes pkg/kubelet/kuberuntime/security_context.go). */
function userCause(message: string): { text: string; hint: string } | undefined {
  if (message.includes('image will run as root')) {
    return {
      text: 'must not run as root (runAsNonRoot), but its image runs as root',
      hint: 'Set runAsUser in its securityContext to a number other than 0, or give the image such a USER.',
    };
  }
  if (message.includes('runAsUser breaks non-root policy')) {
    return {
      text: 'must not run as root (runAsNonRoot), but its runAsUser is 0',
      hint: 'Set runAsUser in its securityContext to a number other than 0.',
    };
  }
  const name = /image has non-numeric user \((?<name>[^()]*)\)/.exec(message)?.groups?.['name'];
  return name === undefined
    ? undefined
    : {
        text: `must not run as root (runAsNonRoot), and it is unknown whether the user "${name}" of its image is root`,
        hint: 'Set runAsUser in its securityContext to the number of this user, or give the image a USER that is a number.',
      };
}

/** Why the container runtime cannot start a container (runc, crun). */
export function startSign(what: string, reason: string, message: string, where: Where): Sign {
  const found = startCause(message);
  return found === undefined
    ? mayHeal(otherGraceMs, {
        ...where,
        reason,
        message: `${what} cannot start: ${message.slice(-maxTextLength)}`,
        hint: 'Check the message of the container runtime.',
      })
    : mayHeal(startGraceMs, { ...where, reason, message: `${what} cannot start: ${found.text}`, hint: found.hint });
}

function startCause(message: string): { text: string; hint: string } | undefined {
  if (/exec format error/i.test(message)) {
    return {
      text: 'its program is built for another CPU architecture',
      hint: 'Build the image for the architecture of the nodes.',
    };
  }
  if (/no command specified/i.test(message)) {
    return {
      text: 'neither its image nor the manifest sets a command',
      hint: 'Set "command" in the manifest, or an ENTRYPOINT in the image.',
    };
  }
  const folder = /chdir to cwd \(\\?"(?<folder>[^"\\]+)/.exec(message)?.groups?.['folder'];
  if (folder !== undefined) {
    return {
      text: `its working directory "${folder}" cannot be used: ${lastPart(message)}`,
      hint: 'Fix workingDir in the manifest, or WORKDIR and USER of the image.',
    };
  }
  const file = /\bmkdir (?<file>\/[^:]{0,1000}): not a directory/.exec(message)?.groups?.['file'];
  if (file !== undefined) {
    return {
      text: `"${file}" has to be a folder, but is a file in the image`,
      hint: 'Fix workingDir, or the mountPath of its volumeMounts.',
    };
  }
  const place = /error mounting (?:(?!error mounting ).)* to rootfs at \\?"(?<place>[^"\\]+)/.exec(message)?.groups?.[
    'place'
  ];
  if (place !== undefined) {
    return {
      text: `nothing can be mounted at "${place}": ${lastPart(message)}`,
      hint: 'Fix its volumeMounts: a file cannot be mounted over a folder, nor a folder over a file.',
    };
  }
  return programCause(message);
}

function programCause(message: string): { text: string; hint: string } | undefined {
  const program = /exec: \\?"(?<program>[^"\\]+)\\?"/.exec(message)?.groups?.['program'];
  // The same words are said of folders, mounts and devices.
  const isOfProgram = program !== undefined || /\bexec \S+|executable file/.test(message);
  if (isOfProgram && /no such file or directory|executable file.{0,300} not found/i.test(message)) {
    return {
      text: `there is no program ${program === undefined ? 'of that name' : `"${program}"`} in the image`,
      hint: 'Fix "command" in the manifest, or the entrypoint of the image.',
    };
  }
  if (isOfProgram && /permission denied/i.test(message)) {
    return {
      text: `${program === undefined ? 'its program' : `"${program}"`} is not executable`,
      hint: 'Make it executable in the image.',
    };
  }
  return undefined;
}

/** `…: no such file or directory: unknown` → `no such file or directory` */
function lastPart(message: string): string {
  return (
    message
      .replace(/: unknown$/, '')
      .split(': ')
      .at(-1) ?? ''
  ).slice(0, maxTextLength);
}
