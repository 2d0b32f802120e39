import { Failure } from '../base/errors.ts';
import { closest } from '../base/similar.ts';
import type { Resource } from './client.ts';
import { apiVersionOf } from './discovery.ts';
import { groupOf } from './object.ts';

/** The server does not serve this kind in this version. */
export class UnknownKind extends Failure {
  readonly apiVersion: string;
  readonly kind: string;

  constructor(apiVersion: string, kind: string, served: readonly Resource[]) {
    super(`the cluster does not serve kind "${kind}" in apiVersion "${apiVersion}"`, {
      hint: suggestion(apiVersion, kind, served),
    });
    this.apiVersion = apiVersion;
    this.kind = kind;
  }
}

function suggestion(apiVersion: string, kind: string, served: readonly Resource[]): string {
  const sameKind = served.filter((resource) => resource.kind === kind);
  const sameGroup = sameKind.find((resource) => resource.group === groupOf(apiVersion)) ?? sameKind[0];
  if (sameGroup !== undefined) return `It serves this kind as apiVersion "${apiVersionOf(sameGroup)}": use that.`;
  const near = closest(kind, new Set(served.map((resource) => resource.kind)));
  if (near !== undefined) return `Did you mean kind "${near}"?`;
  return 'Install its CustomResourceDefinition first, or put it into the same deploy.';
}
