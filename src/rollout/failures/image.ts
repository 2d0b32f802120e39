import type { Cause } from '../verdict.ts';
import { final, mayHeal, type Sign } from './sign.ts';

/** `what` uses the image: `container "web"`, `volume "model"`. */
type Base = Pick<Cause, 'object' | 'path'> & { what: string; image: string };

/** An image that is missing now may be pushed in a moment (krane#34); the kubelet's second pull comes after 10 s. */
const missingGraceMs = 10_000;
const unreachableGraceMs = 60_000;

/** Why an image is not there, from the waiting reason and the runtime's words (containerd, CRI-O). */
export function imageSign(reason: string, message: string, { what, image, ...base }: Base): Sign | undefined {
  const named = `${what}: image "${image}"`;
  const cause = (text: string, hint: string): Cause => ({ ...base, reason, message: `${named} ${text}`, hint });
  switch (reason) {
    case 'InvalidImageName':
      return final(cause('is not a valid image reference', 'Fix the image in the manifest or the input "images".'));
    case 'ErrImageNeverPull':
      return final(
        cause('is not on the node, and imagePullPolicy is Never', 'Load it onto the nodes, or change imagePullPolicy.'),
      );
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'ImageInspectError':
      return pullSign(message, image, cause);
    default:
      return undefined;
  }
}

function pullSign(message: string, image: string, cause: (text: string, hint: string) => Cause): Sign {
  // Names and addresses may read like answers: `web:403`, `/manifests/429`.
  const answer = message.replaceAll(image, '').replaceAll(/https?:\/\/\S+/g, '');
  // A registry hides what one may not see, so that "denied" can also mean "not there".
  if (/\b40[13]\b|unauthori[sz]ed|authentication required|denied|forbidden|no basic auth credentials/i.test(answer)) {
    return mayHeal(
      missingGraceMs,
      cause(
        'cannot be pulled: access denied by the registry',
        'Check that the image exists, and give the pods an imagePullSecret or the nodes read access to it.',
      ),
    );
  }
  if (/toomanyrequests|too many requests|\b429\b|rate limit/i.test(answer)) {
    return mayHeal(
      unreachableGraceMs,
      cause(
        'cannot be pulled now: rate-limited by the registry',
        'Wait, sign in to the registry with an imagePullSecret, or use a mirror.',
      ),
    );
  }
  if (/no such host|server misbehaving|lookup \S+ on|NXDOMAIN/i.test(answer)) {
    return mayHeal(
      unreachableGraceMs,
      cause(
        'cannot be pulled: the registry name does not resolve',
        'Fix the registry in the image, or the DNS of the nodes.',
      ),
    );
  }
  if (
    /connection refused|i\/o timeout|connection reset|deadline exceeded|no route to host|network is unreachable|TLS handshake|x509/i.test(
      answer,
    )
  ) {
    return mayHeal(
      unreachableGraceMs,
      cause(
        `cannot be pulled: the registry is unreachable (${lastPart(message)})`,
        'Check that the nodes can reach the registry.',
      ),
    );
  }
  // Before "not found": containerd calls this NotFound, too.
  if (/no match for platform|no matching manifest/i.test(answer)) {
    return mayHeal(
      missingGraceMs,
      cause(
        'is not built for the CPU architecture of the nodes',
        'Build it for their architecture, or choose other nodes.',
      ),
    );
  }
  if (/not found|manifest unknown|does not exist|NotFound|name unknown/i.test(answer)) {
    return mayHeal(missingGraceMs, cause('not found', 'Fix the tag, or push the image first.'));
  }
  return mayHeal(
    unreachableGraceMs,
    cause(`cannot be pulled: ${lastPart(message)}`, 'Check the message of the registry.'),
  );
}

/** The end of a chain `failed to …: failed to …: the reason`. */
function lastPart(message: string): string {
  return message.split(': ').slice(-2).join(': ').slice(0, 300);
}
