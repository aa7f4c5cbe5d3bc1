import { resolve } from 'node:path'
import type { Lake } from '../config/config.ts'

/** Where a table lies, for those who do not know the lake: an absolute path, or an S3 address. */
export function tableLocation(lake: Lake, path: string): string {
  if (lake.kind === 'local') return resolve(lake.directory, path)
  return ['s3:/', lake.bucket, lake.prefix, path].filter((part) => part !== '').join('/')
}
