import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { type CliExit, RunningCli } from '../../support/built-cli.ts'

const CLI = resolve('dist/src/cli/main.js')

/** Where a backfill dies while it adds chunks; `put` is what a store calls a commit that is there. */
const chunkSteps = (put: string) => [
  'backfill:chunk-staged',
  'data.put:written',
  `log.put:${put}`,
  'backfill:chunk-committed',
]
/** Where it dies when all chunks are there, and what changed meanwhile is brought. */
const lastSteps = (put: string) => [
  'moment:committed',
  `log.put:${put}`,
  'data.put:written',
  'backfill:caught-up',
]
/** Of so many kills one is at the end. */
const OF_THEM_AT_THE_END = 4

export interface KilledBackfill {
  /** The run that nobody killed. */
  readonly last: CliExit
  /** Kills by `step:n`. */
  readonly kills: readonly string[]
}

/**
 * Backfills tables with a kill at one step after the other, then lets it come to its end.
 *
 * @param put what the store says when a commit is there
 * @throws when a run was not killed where it should have been
 */
export async function backfillWithDeaths(
  args: readonly string[],
  kills: number,
  put: 'linked' | 'created',
): Promise<KilledBackfill> {
  const steps = stepsOf(kills, put)
  for (const [at, step] of steps.entries()) {
    const { signal, stdout, stderr } = await backfill(at === 0 ? args : [...args, '--resume'], step)
    if (signal !== 'SIGKILL') throw new Error(`${step} was not reached by run ${at}: ${stdout}${stderr}`)
  }
  return { last: await backfill([...args, '--resume']), kills: steps }
}

function stepsOf(kills: number, put: string): string[] {
  const late = Math.max(1, Math.floor(kills / OF_THEM_AT_THE_END))
  const early = kills - late - 1
  // Each run goes on where the one before it died, so that the first time a step is reached is another one's.
  const taken = (steps: readonly string[], count: number) =>
    Array.from({ length: count }, (_, i) => `${steps[i % steps.length]}:1`)
  return ['backfill:began:1', ...taken(chunkSteps(put), early), ...taken(lastSteps(put), late)]
}

function backfill(args: readonly string[], failpoint?: string): Promise<CliExit> {
  const environment = failpoint === undefined ? {} : { ALLUVIUM_FAILPOINT: failpoint }
  const child = spawn(process.execPath, [CLI, 'backfill', ...args], {
    env: { ...process.env, ...environment },
  })
  return new RunningCli(child).exit
}
