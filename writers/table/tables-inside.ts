import type { ObjectInfo } from '../../core/ports.ts'

/** Folders of other tables below that of a table, each with `/` at its end: a lake may be a table, and hold others. */
export function tablesInside(objects: readonly ObjectInfo[], tablePath: string): readonly string[] {
  const folders = new Set<string>()
  for (const { path } of objects) {
    const at = path.indexOf('/_delta_log/', tablePath.length + 1)
    if (at >= 0) folders.add(path.slice(0, at + 1))
  }
  return [...folders]
}
