import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { write } from './cache.ts';
import { tar } from './tar.ts';

/** The name of the registry inside the node; nothing else resolves it. */
export const registry = 'registry.test';

/** An image of one static binary. */
export interface Image {
  /** Without the registry and the tag: `ctwoc`, `slow/ctwoc`. */
  repository: string;
  tag: string;
  config: Buffer;
  /** Uncompressed tar of the one layer. */
  layer: Buffer;
}

/** Makes layers of slow images this much larger, in bytes. */
const padding = 20_000_000;

/** `extraBytes` of padding make the layer as large as a slow pull needs it. */
export function createImage(
  repository: string,
  tag: string,
  binary: string,
  { args = [], extraBytes = 0 }: { args?: readonly string[]; extraBytes?: number } = {},
): Image {
  const server = { name: 'server', mode: 0o755, data: readFileSync(binary) };
  const more = extraBytes > 0 ? [{ name: 'padding', mode: 0o644, data: Buffer.alloc(extraBytes) }] : [];
  const layer = tar([server, ...more]);
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/server', ...args] },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  };
  return { repository, tag, config: Buffer.from(JSON.stringify(config)), layer };
}

/** A `docker save` archive, as `ctr images import` takes it. */
export function archive(images: readonly Image[]): Buffer {
  const files = new Map<string, Buffer>();
  const manifest = images.map((image) => {
    const config = `${hex(image.config)}.json`;
    const layer = `${hex(image.layer)}.tar`;
    files.set(config, image.config);
    files.set(layer, image.layer);
    return { Config: config, RepoTags: [`${registry}/${image.repository}:${image.tag}`], Layers: [layer] };
  });
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
  return tar([...files].map(([name, data]) => ({ name, mode: 0o644, data })));
}

/**
 * Makes what every cluster starts with: `images.tar` for the node (`pause` and the sample), and `registry-storage`, the
 * folder of a registry that holds `ctwoc`, `pulled/ctwoc` (the same, but never on the node) and `slow/ctwoc`.
 */
export function writeImages(target: string, sample: ReadonlyMap<string, string>): void {
  const samples = [...sample].map(([version, binary]) => createImage('ctwoc', version, binary));
  const [anyBinary = ''] = sample.values();
  const pause = createImage('pause', '1', anyBinary, { args: ['pause'] });
  write(join(target, 'images.tar'), archive([pause, ...samples]));

  const storage = join(target, 'registry-storage');
  for (const image of samples) {
    store(storage, image, 6);
    store(storage, { ...image, repository: 'pulled/ctwoc' }, 6);
  }
  for (const [version, binary] of sample) {
    // Not compressed, so that its padding has to be transferred.
    store(storage, createImage('slow/ctwoc', version, binary, { extraBytes: padding }), 0);
  }
}

/** Puts an image where the registry's filesystem driver looks for it (distribution, registry/storage/paths.go). */
function store(storage: string, image: Image, compression: number): void {
  const root = join(storage, 'docker/registry/v2');
  const repository = join(root, 'repositories', image.repository);
  const layer = gzipSync(image.layer, { level: compression });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.oci.image.config.v1+json', image.config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    }),
  );
  for (const blob of [image.config, layer, manifest]) {
    write(join(root, 'blobs/sha256', hex(blob).slice(0, 2), hex(blob), 'data'), blob);
  }
  for (const blob of [image.config, layer]) {
    write(join(repository, '_layers/sha256', hex(blob), 'link'), digest(blob));
  }
  write(join(repository, '_manifests/revisions/sha256', hex(manifest), 'link'), digest(manifest));
  const tag = join(repository, '_manifests/tags', image.tag);
  write(join(tag, 'current/link'), digest(manifest));
  write(join(tag, 'index/sha256', hex(manifest), 'link'), digest(manifest));
}

function descriptor(mediaType: string, data: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digest(data), size: data.length };
}

function digest(data: Buffer): string {
  return `sha256:${hex(data)}`;
}

function hex(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
