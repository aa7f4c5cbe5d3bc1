import type { S3Lake } from '../config/config.ts'

/** A policy of a bucket, as AWS reads it. */
export interface BucketPolicy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly PolicyStatement[]
}

interface PolicyStatement {
  readonly Sid: string
  readonly Effect: 'Deny'
  readonly Principal: '*'
  readonly Action: string
  readonly Resource: string
  readonly Condition: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** `<version, 20 digits>.json`: entries, and not the checkpoints and hints beside them, which may be replaced. */
const LOG_ENTRY = `${'?'.repeat(20)}.json`

/**
 * Refuses every put of a log entry that does not carry `If-None-Match`: whoever writes without the condition (Spark on
 * `s3a://`) fails instead of overwriting somebody's commit. Beginning a multipart upload and sending its parts cannot
 * carry a condition; they create no object, and its completion is held to it.
 *
 * @param region decides the partition of AWS that the bucket is in; none: the common one
 */
export function bucketPolicy({ bucket, prefix }: S3Lake, region?: string): BucketPolicy {
  const root = prefix === '' ? bucket : `${bucket}/${prefix}`
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'DeltaLogEntriesAreNeverOverwritten',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: `arn:${partitionOf(region)}:s3:::${root}/*_delta_log/${LOG_ENTRY}`,
        Condition: {
          Null: { 's3:if-none-match': 'true' },
          Bool: { 's3:ObjectCreationOperation': 'true' },
        },
      },
    ],
  }
}

function partitionOf(region = ''): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
