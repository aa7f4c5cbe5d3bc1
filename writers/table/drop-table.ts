import type { ObjectInfo, ObjectStore } from '../../core/ports.ts'
import { tablesInside } from './tables-inside.ts'

export interface DropReport {
  /** Deleted, or to be deleted. */
  readonly objects: number
  readonly sizeBytes: number
}

/**
 * Deletes a table with all that lies in its folder; tables inside of it stay. The log goes first and from its end: who
 * reads meanwhile sees an older version or no table, and what is left when this breaks off goes when it is asked again.
 *
 * @param dryRun only tell
 */
export async function dropTable(store: ObjectStore, tablePath: string, dryRun: boolean): Promise<DropReport> {
  const folder = `${tablePath}/`
  const objects = await store.list('vacuum.list', folder)
  const others = tablesInside(objects, tablePath)
  const own = objects.filter(({ path }) => !others.some((inside) => path.startsWith(inside)))
  if (!dryRun) for (const { path } of logFirst(own, folder)) await store.delete('vacuum.delete', path)
  return { objects: own.length, sizeBytes: own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}

function logFirst(objects: readonly ObjectInfo[], folder: string): readonly ObjectInfo[] {
  const isLog = ({ path }: ObjectInfo) => path.startsWith(`${folder}_delta_log/`)
  return [...objects.filter(isLog).reverse(), ...objects.filter((each) => !isLog(each))]
}
