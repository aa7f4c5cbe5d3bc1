/** A step of the engine at which `ALLUVIUM_FAILPOINT=name:n` kills the process when it is reached for the n-th time. */
export interface KillStep {
  readonly name: string
  /** What the world holds when the process dies there. */
  readonly means: string
  /** The highest n that is drawn: steps that every commit passes are passed a few times before the kill. */
  readonly passesMax: number
}

/** The one list of the steps at which the kill test kills. */
export const KILL_STEPS: readonly KillStep[] = [
  { name: 'data.put:written', means: 'a data file is stored that no commit names', passesMax: 6 },
  { name: 'log.put:temp-written', means: 'the log entry is written under a temporary name', passesMax: 6 },
  { name: 'log.put:linked', means: 'the commit is visible, and nobody was told', passesMax: 6 },
  { name: 'checkpoint.put:written', means: 'a checkpoint stands that no hint names', passesMax: 1 },
  {
    name: 'log.last-checkpoint.put:temp-written',
    means: 'the hint of the last checkpoint is not in its place',
    passesMax: 1,
  },
  { name: 'locator:before-move', means: 'the locator is behind the table', passesMax: 6 },
]
