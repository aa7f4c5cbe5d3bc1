/**
 * Whether a path can be a file of the table's rows, deletion vectors or change feed. Names with `_` or `.` in front are
 * somebody else's, but for change files and folders of partitions.
 *
 * @param path from the root of the table
 * @see delta-protocol §11.3
 */
export function isTableFile(path: string): boolean {
  const folders = path.split('/')
  const name = folders.pop()!
  if (folders[0] === '_change_data') folders.shift()
  const isOthers = (part: string) => part.startsWith('.') || (part.startsWith('_') && !part.includes('='))
  return !isOthers(name) && !folders.some(isOthers)
}
