/**
 * Whether it is an extended resource, such as `nvidia.com/gpu`: its name has a domain, which is not one of Kubernetes itself
 * (kubernetes pkg/apis/core/helper IsExtendedResourceName). Neither `count/pods`, by which quotas count objects, nor a port of the
 * node, `host port 8080/TCP`, is one.
 */
export function isDevice(name: string): boolean {
  return /^(?!count\/)(?!.*kubernetes\.io\/)[\w.-]+\//.test(name);
}
