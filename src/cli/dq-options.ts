import { type Command, InvalidArgumentError } from 'commander'
import { DEFAULT_LIMITS, type DqLimits } from '../../dq/dq-ports.ts'
import type { Digest } from '../../dq/row-digests.ts'
import { type LakeOptions, withLakeOptions } from './lake-options.ts'
import { parseCount, parseTime } from './option-values.ts'

/** Options of every command that compares. */
export interface DqOptions extends LakeOptions {
  readonly pipeline?: string
  readonly slot?: string
  readonly digest: Digest
  readonly wait: number
  readonly looks: number
  readonly rowsPerSecond?: number
  readonly maxLag: number
}

export function withDqOptions(command: Command): Command {
  return withLakeOptions(command)
    .option('--pipeline <name>', 'the pipeline that feeds the tables, where the configuration has several')
    .option('--slot <name>', "the connector's replication slot (default: what the configuration says)")
    .option('--digest <name>', 'md5, or sha256 where MD5 is refused', parseDigest, DEFAULT_LIMITS.digest)
    .option(
      '--wait <time>',
      'how long the lake may take to hold what the source has',
      parseTime,
      DEFAULT_LIMITS.waitMs,
    )
    .option(
      '--looks <count>',
      'how often rows that differ or move are looked at',
      parseLooks,
      DEFAULT_LIMITS.looksMax,
    )
    .option(
      '--rows-per-second <count>',
      'rows that are read of the source at most (default: no bound)',
      parseCount,
    )
    .option(
      '--max-lag <time>',
      'how old a change may be that the lake does not hold',
      parseTime,
      DEFAULT_LIMITS.lagMaxMs,
    )
}

export function limitsOf(options: DqOptions): DqLimits {
  return {
    ...DEFAULT_LIMITS,
    digest: options.digest,
    waitMs: options.wait,
    looksMax: options.looks,
    rowsPerSecond: options.rowsPerSecond ?? null,
    lagMaxMs: options.maxLag,
  }
}

function parseDigest(text: string): Digest {
  if (text === 'md5' || text === 'sha256') return text
  throw new InvalidArgumentError('It must be md5 or sha256.')
}

/** One look calls nothing different. */
function parseLooks(text: string): number {
  const looks = parseCount(text)
  if (looks >= 2) return looks
  throw new InvalidArgumentError('It must be 2 at least: nothing is called different after one look.')
}
