import { InvalidInput } from '../base/errors.ts';

/** A parsed image reference: `registry.test:5000/team/web:1.0@sha256:…`. */
export interface Reference {
  /** With Docker's default filled in: `docker.io` for `nginx`. */
  registry: string;
  /** The path within the registry, with Docker's default filled in: `library/nginx` for `nginx`. */
  repository: string;
  /** As it was written, without tag and digest: `nginx`. */
  written: string;
  tag?: string;
  digest?: string;
}

const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,}$/;
const hostPattern = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
const pathPattern = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;

/**
 * Takes an image reference apart and fills in Docker's defaults (github.com/distribution/reference, grammar and
 * `ParseNormalizedNamed`).
 * @throws InvalidInput when it is no image reference
 */
export function parseReference(text: string): Reference {
  const [name = '', digest, ...rest] = text.split('@');
  // A colon behind the last slash begins a tag; one before it is that of a port.
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  const written = colon === -1 ? name : name.slice(0, colon);
  const tag = colon === -1 ? undefined : name.slice(colon + 1);
  const { registry, repository } = normalise(written);
  const wellFormed =
    rest.length === 0 &&
    hostPattern.test(registry) &&
    pathPattern.test(repository) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest));
  if (!wellFormed) {
    throw new InvalidInput(`"${text}" is not an image reference`, {
      hint: 'Write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST, the repository in lower case.',
    });
  }
  return {
    registry,
    repository,
    written,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The reference as it is written in a manifest: what was left to Docker's defaults stays so. */
export function formatReference({ written, tag, digest }: Reference): string {
  return `${written}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Whether two references are of one repository, however they are written. */
export function sameRepository(left: Reference, right: Reference): boolean {
  return left.registry === right.registry && left.repository === right.repository;
}

/**
 * The reference with another version in place of its tag and digest.
 * @param version a tag, or a digest such as `sha256:…`
 * @throws InvalidInput when it can be neither
 */
export function withVersion({ registry, repository, written }: Reference, version: string): Reference {
  if (digestPattern.test(version)) return { registry, repository, written, digest: version };
  if (tagPattern.test(version)) return { registry, repository, written, tag: version };
  throw new InvalidInput(`"${version}" is not a valid image tag`, {
    hint: 'A tag has at most 128 letters, digits, "_", "." and "-", and does not start with "." or "-"; a digest is "sha256:" and 64 hex digits.',
  });
}

function normalise(written: string): { registry: string; repository: string } {
  const slash = written.indexOf('/');
  const first = slash === -1 ? '' : written.slice(0, slash);
  // Without one of these marks, the first part is the name of a user at Docker Hub.
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const path = isHost ? written.slice(slash + 1) : written;
  if (isHost && first !== 'docker.io' && first !== 'index.docker.io') return { registry: first, repository: path };
  return { registry: 'docker.io', repository: path.includes('/') ? path : `library/${path}` };
}
