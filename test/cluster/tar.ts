const block = 512;

export interface TarFile {
  name: string;
  mode: number;
  data: Buffer;
}

/** A ustar archive of regular files, byte for byte the same for the same files. Names of up to 100 bytes. */
export function tar(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap(({ name, mode, data }) => {
    const header = Buffer.alloc(block);
    const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
    header.write(name, 0);
    header.write(octal(mode, 7), 100);
    header.write(octal(0, 7).repeat(2), 108);
    header.write(octal(data.length, 11), 124);
    header.write(octal(0, 11), 136);
    // The checksum counts its own field as spaces.
    header.write('        0', 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${octal(sum, 6)} `, 148);
    return [header, data, Buffer.alloc((block - (data.length % block)) % block)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}
