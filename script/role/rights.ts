/** Prints the Role that manifests need. */
import { describe, printed } from './command-line.ts';

try {
  process.stdout.write(await printed(process.argv.slice(2), process.cwd()));
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
