import type { Reporter } from '../../base/reporter.ts';
import type { Bounds } from './inside.ts';

/** A way to come by Kubernetes objects. A new one is a file beside this one, and a line in `index.ts`. */
export interface ManifestSource {
  /** Whether a file that is found in a folder or by a pattern is one of these, by its name. */
  matches(file: string): boolean;
  /** Its file stands for the folder that it lies in: that is read as a whole, and is none of several that lie beside each other. */
  isWholeFolder: boolean;
  /** @throws InvalidInput, Failures when there is nothing that can be read */
  read(found: FoundFile): ManifestText | Promise<ManifestText>;
}

/** A file that is known to lie in its bounds; what lies beside it is the source's to look at. */
interface FoundFile {
  /** Absolute. */
  path: string;
  /** As messages name it. */
  name: string;
  bounds: Bounds;
}

export interface ManifestText {
  /** YAML documents or JSON. */
  text: string;
  /** What messages and annotations name as the file of its lines. */
  name: string;
}

/** What a source may need to build with programs of the runner. */
export interface Tools {
  /** Of the action. */
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  /** Ends it. */
  signal?: AbortSignal;
}
