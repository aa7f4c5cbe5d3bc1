import { readFileSync } from 'node:fs'

/** The version in our own `package.json`, which stands above this file both as source and as built. */
export function packageVersion(): string {
  for (const above of ['../../package.json', '../../../package.json']) {
    const manifest = manifestAt(new URL(above, import.meta.url))
    if (manifest?.name === 'alluvium') return manifest.version
  }
  return 'unknown'
}

function manifestAt(url: URL): { readonly name: string; readonly version: string } | null {
  try {
    return JSON.parse(readFileSync(url, 'utf8'))
  } catch {
    return null
  }
}
