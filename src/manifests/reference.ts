import { InvalidInput } from '../base/errors.ts';

/** A parsed image reference: `registry.test:5000/team/web:1.0@sha256:…`. */
export interface Reference {
  /** With Docker's defaults filled in: `nginx` is `docker.io` and `library/nginx`. */
  registry: string;
  path: string;
  /** As it was written, without tag and digest. */
  written: string;
  tag?: string;
  digest?: string;
}

const digestPattern = /^sha256:[0-9a-f]{64}$/;
const tagPattern = /^\w[\w.-]{0,127}$/;

/** @throws InvalidInput when it is no image reference (distribution/reference) */
export function parseReference(text: string): Reference {
  const [beforeDigest = '', digest] = text.split('@', 2);
  const lastSlash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', lastSlash + 1);
  const written = colon === -1 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon === -1 ? undefined : beforeDigest.slice(colon + 1);
  const wellFormed =
    /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(written) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest));
  if (!wellFormed) {
    throw new InvalidInput(`"${text}" is no image reference`, {
      hint: 'Expected REPOSITORY:TAG or REPOSITORY@sha256:DIGEST, the repository in lower case.',
    });
  }
  const { registry, path } = normalise(written);
  return {
    registry,
    path,
    written,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The name under which two ways of writing the same repository are equal. */
export function repositoryOf({ registry, path }: Reference): string {
  return `${registry}/${path}`;
}

/** The reference with another tag, or with a digest when that is what `version` is. */
export function withVersion(reference: Reference, version: string): string {
  return version.startsWith('sha256:') ? `${reference.written}@${version}` : `${reference.written}:${version}`;
}

/** @throws InvalidInput when it can be neither a tag nor a digest */
export function assertVersion(version: string, input: string): void {
  if (digestPattern.test(version) || tagPattern.test(version)) return;
  throw new InvalidInput(`the input "${input}" is "${version}", which can be no image tag`, {
    hint: 'A tag has at most 128 letters, digits, ".", "_" and "-"; a digest is "sha256:" and 64 hexadecimal digits.',
  });
}

function normalise(written: string): { registry: string; path: string } {
  const slash = written.indexOf('/');
  const first = slash === -1 ? '' : written.slice(0, slash);
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  if (!isHost) return { registry: 'docker.io', path: slash === -1 ? `library/${written}` : written };
  const path = written.slice(slash + 1);
  if (first !== 'index.docker.io' && first !== 'docker.io') return { registry: first, path };
  return { registry: 'docker.io', path: path.includes('/') ? path : `library/${path}` };
}
