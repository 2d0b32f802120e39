/** Labels as a `labelSelector` asks for them: `{app: shop, tier: web}` → `app=shop,tier=web`. */
export function labelSelectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
