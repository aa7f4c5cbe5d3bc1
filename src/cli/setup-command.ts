import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import { bucketLifecycle } from '../setup/bucket-lifecycle.ts'
import { bucketPolicy } from '../setup/bucket-policy.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { toJson } from './output.ts'
import { registerSetupPostgres } from './setup-postgres.ts'

interface BucketOptions extends LakeOptions {
  readonly dryRun?: boolean
  readonly lifecycle?: boolean
}

/** `alluvium setup postgres|bucket`. */
export function registerSetup(program: Command, context: CliContext): void {
  const group = program.command('setup').description('prepare what a pipeline stands on')
  registerSetupPostgres(group, context)
  const bucket = addCommand(group, {
    usage: 'bucket',
    summary:
      'print the bucket policy that keeps others from overwriting log entries, or the rules by which a bucket cleans up',
    example: 'setup bucket --dry-run --lake s3://my-bucket/delta > policy.json',
  })
  withLakeOptions(bucket)
    .option(
      '--lifecycle',
      'print lifecycle rules instead: for uploads that were broken off, and for old versions of objects',
    )
    .option('--dry-run', 'print the policy and set nothing; needed, since this release cannot set it')
    .action(exiting(context, (options: BucketOptions) => printBucketPolicy(options, context)))
}

async function printBucketPolicy(options: BucketOptions, context: CliContext): Promise<ExitCode> {
  const {
    config: { lake, store },
  } = await openLakeOf(options, context)
  if (lake.kind !== 's3') {
    throw new EngineError(
      'E_LAKE',
      'usage',
      `the lake ${lake.location} is a directory and has no policy; name one on S3 with --lake s3://bucket/prefix`,
    )
  }
  if (options.dryRun !== true) {
    throw new EngineError(
      'E_NOT_IN_RELEASE',
      'usage',
      'this release prints the policy and cannot set it yet; add --dry-run',
    )
  }
  if (options.lifecycle === true) {
    context.stdout.write(`${toJson(bucketLifecycle(lake), options.json === true ? undefined : 2)}\n`)
    context.stderr.write(
      `add these rules to those of ${lake.bucket}, or set them where there are none: aws s3api ` +
        `put-bucket-lifecycle-configuration --bucket ${lake.bucket} --lifecycle-configuration file://lifecycle.json\n`,
    )
    return EXIT.ok
  }
  const policy = bucketPolicy(lake, store.region)
  context.stdout.write(`${toJson(policy, options.json === true ? undefined : 2)}\n`)
  context.stderr.write(
    `add this statement to the policy of ${lake.bucket}, or set it where there is none: ` +
      `aws s3api put-bucket-policy --bucket ${lake.bucket} --policy file://policy.json\n`,
  )
  return EXIT.ok
}
