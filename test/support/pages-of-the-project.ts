import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

/** All pages that people read, from the root of the project. */
export function pages(): readonly string[] {
  const inFolder = (folder: string, recursive: boolean) =>
    readdirSync(join(ROOT, folder), { recursive, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name))
  const folders = ['bench', 'deploy', 'docs', 'test'].filter((folder) => existsSync(join(ROOT, folder)))
  return [...inFolder('.', false), ...folders.flatMap((folder) => inFolder(folder, true))].sort()
}

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
