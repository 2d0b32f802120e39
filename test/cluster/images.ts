import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** An image of one static binary, in the form in which a registry holds it. */
export interface Image {
  /** `ctwoc:1.0.0`, without the registry. */
  repository: string;
  tag: string;
  config: Buffer<ArrayBuffer>;
  /** Uncompressed tar of the one layer. */
  layer: Buffer<ArrayBuffer>;
}

/** `padding` bytes of noise make the layer as large as a slow pull needs it. */
export function createImage(repository: string, tag: string, binary: string, args: string[] = [], padding = 0): Image {
  const files: { name: string; mode: number; data: Buffer }[] = [
    { name: 'server', mode: 0o755, data: readFileSync(binary) },
  ];
  if (padding > 0) files.push({ name: 'padding', mode: 0o644, data: noise(padding) });
  const layer = tar(files);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/server', ...args] },
      rootfs: { type: 'layers', diff_ids: [digest(layer)] },
    }),
  );
  return { repository, tag, config, layer };
}

/** A `docker save` archive, as `ctr images import` takes it. */
export function archive(images: readonly Image[], registry: string): Buffer {
  const files = new Map<string, Buffer>();
  const manifest = images.map((image) => {
    const config = `${digest(image.config).slice(7)}.json`;
    const layer = `${digest(image.layer).slice(7)}.tar`;
    files.set(config, image.config);
    files.set(layer, image.layer);
    return { Config: config, RepoTags: [`${registry}/${image.repository}:${image.tag}`], Layers: [layer] };
  });
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
  return tar([...files].map(([name, data]) => ({ name, mode: 0o644, data })));
}

/** Puts an image into a registry by its HTTP API. */
export async function push(image: Image, registryUrl: string): Promise<void> {
  const base = `${registryUrl}/v2/${image.repository}`;
  const layer = gzipSync(image.layer, { level: 1 });
  await Promise.all([putBlob(base, image.config), putBlob(base, layer)]);
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', image.config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
  };
  const answer = await fetch(`${base}/manifests/${image.tag}`, {
    method: 'PUT',
    headers: { 'Content-Type': manifest.mediaType },
    body: JSON.stringify(manifest),
  });
  if (!answer.ok) throw new Error(`push of ${image.repository}:${image.tag}: ${answer.status} ${await answer.text()}`);
}

async function putBlob(base: string, data: Buffer): Promise<void> {
  const start = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const location = start.headers.get('Location');
  if (location === null) throw new Error(`push to ${base}: ${start.status} without a Location`);
  const url = new URL(location, base);
  url.searchParams.set('digest', digest(data));
  // The registry names itself by the host that the request came to.
  const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(data) });
  if (!answer.ok) throw new Error(`push to ${base}: ${answer.status} ${await answer.text()}`);
}

function descriptor(mediaType: string, data: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digest(data), size: data.length };
}

function digest(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** Bytes that do not compress, the same in every run. */
function noise(bytes: number): Buffer {
  const blocks: Buffer[] = [];
  let block = createHash('sha512').update('padding').digest();
  for (let length = 0; length < bytes; length += block.length) {
    block = createHash('sha512').update(block).digest();
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

/** A ustar archive of regular files. */
function tar(files: readonly { name: string; mode: number; data: Buffer }[]): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [];
  for (const { name, mode, data } of files) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
    header.write('0000000\0'.repeat(2), 108);
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        0', 148);
    header.write('ustar\0' + '00', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
