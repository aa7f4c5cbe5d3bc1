import type { S3Lake } from '../config/config.ts'

/** Rules of a bucket, as AWS reads them. */
export interface BucketLifecycle {
  readonly Rules: readonly LifecycleRule[]
}

interface LifecycleRule {
  readonly ID: string
  readonly Status: 'Enabled'
  readonly Filter: { readonly Prefix: string }
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number }
}

/** No upload of ours takes so long; a process that was killed in one leaves its parts, which are paid for. */
const UPLOAD_DAYS = 1
/** As long as a table's log is kept: what is deleted is past by then. Only buckets with versions have such objects. */
const VERSION_DAYS = 7

/**
 * What a bucket may clean up by itself. Nothing that is there now is ever among it: which files of a table are no longer
 * needed only its log knows.
 */
export function bucketLifecycle({ prefix }: S3Lake): BucketLifecycle {
  const common = { Status: 'Enabled', Filter: { Prefix: prefix === '' ? '' : `${prefix}/` } } as const
  return {
    Rules: [
      {
        ID: 'AlluviumUploadsThatWereBrokenOff',
        ...common,
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: UPLOAD_DAYS },
      },
      {
        ID: 'AlluviumOldVersions',
        ...common,
        NoncurrentVersionExpiration: { NoncurrentDays: VERSION_DAYS },
      },
    ],
  }
}
