import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureTools } from '../cluster/tools.ts';
import { run } from '../cluster/run.ts';

export interface Certificate extends Disposable {
  cert: string;
  key: string;
  /** For NODE_EXTRA_CA_CERTS, so that the step trusts it as it trusts a public authority. */
  path: string;
}

/** A self-signed certificate for these names (`DNS:sts.googleapis.com`, `IP:127.0.0.1`). */
export async function certificateFor(names: readonly string[]): Promise<Certificate> {
  await ensureTools({ openssl: 'openssl' });
  const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-certificate-'));
  const path = join(folder, 'cert.pem');
  const key = join(folder, 'key.pem');
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${names.join(',')}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', path, ...subject]);
  return {
    cert: readFileSync(path, 'utf8'),
    key: readFileSync(key, 'utf8'),
    path,
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
