import { objectsAt, stringAt, stringsAt, type Json } from '../base/json.ts';
import { saidAt, shortened } from '../base/said.ts';

/** What an API of Google says when it refuses (google.rpc.Status with its ErrorInfo, or OAuth's two fields). */
export interface GoogleError {
  /** HTTP status. */
  code: number;
  /** `PERMISSION_DENIED`, `NOT_FOUND`, …; of OAuth: `invalid_grant`. */
  status: string;
  message: string;
  /** `SERVICE_DISABLED`, `IAM_PERMISSION_DENIED`, …; empty where there is none. */
  reason: string;
  /** The permission that is missing: `container.clusters.get`. */
  permission: string | undefined;
  /** The API that is not enabled, and the page on which to enable it. */
  disabled: { service: string; url: string } | undefined;
}

/** Reads an answer of any of Google's APIs; what has another form becomes the message as it is, shortened. */
export function readGoogleError(code: number, body: Json, text: string): GoogleError {
  const oauth = stringAt(body, 'error');
  if (oauth !== undefined) {
    const message = sentence(stringAt(body, 'error_description') ?? oauth);
    return { code, status: oauth, message, reason: '', permission: undefined, disabled: undefined };
  }
  const message = sentence(saidAt(body, 'error', 'message') ?? plainText(text) ?? `HTTP ${code}`);
  const infos = objectsAt(body, 'error', 'details').filter((detail) => stringAt(detail, 'reason') !== undefined);
  // Older answers have their reason in `errors`: accessNotConfigured.
  const legacy = objectsAt(body, 'error', 'errors').map((error) => stringAt(error, 'reason'))[0];
  const reason = stringAt(infos[0], 'reason') ?? legacy ?? '';
  const metadata = stringsAt(infos[0], 'metadata');
  return {
    code,
    status: stringAt(body, 'error', 'status') ?? '',
    message,
    reason,
    permission: metadata['permission'] ?? permissionIn(message),
    disabled: disabledService(message, reason, metadata),
  };
}

/** `Required "container.clusters.get" permission(s) for …`, `Permission 'iam.serviceAccounts.getAccessToken' denied …` */
function permissionIn(message: string): string | undefined {
  const quoted = /(?:Required|Permission) ["'](?<permission>[a-zA-Z]+(?:\.[a-zA-Z]+)+)["']/.exec(message);
  return quoted?.groups?.['permission'];
}

function disabledService(
  message: string,
  reason: string,
  metadata: Readonly<Record<string, string>>,
): GoogleError['disabled'] {
  const says = /has not been used in project|it is disabled|is not enabled for/.test(message);
  if (reason !== 'SERVICE_DISABLED' && reason !== 'accessNotConfigured' && !says) return undefined;
  const found = /https:\/\/console\.[^\s/]+\/apis\/api\/(?<service>[a-z.-]+)\/overview\?project=[\w:.-]*\w/.exec(
    message,
  );
  const service = metadata['service'] ?? found?.groups?.['service'] ?? '';
  const project = metadata['consumer']?.replace('projects/', '') ?? '';
  const made = `https://console.cloud.google.com/apis/library/${service}${project === '' ? '' : `?project=${project}`}`;
  return { service, url: found?.[0] ?? made };
}

/** What a page, or anything else that is no JSON, says in short. */
export function plainText(text: string): string | undefined {
  const title = /<title>(?<title>[^<]*)<\/title>/i.exec(text)?.groups?.['title'];
  const line = (title ?? shortened(text)).trim().replaceAll(/\s+/g, ' ').slice(0, 300);
  return line === '' ? undefined : line;
}

/** Without the stop at its end: more follows. */
export function sentence(text: string): string {
  return text.trim().replace(/(?<![.])[.]+$/, '');
}
