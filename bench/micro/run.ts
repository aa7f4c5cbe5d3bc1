import { aligned } from '../aligned.ts'
import { chooseCases, type UpsertCase } from '../cases.ts'
import { upsertData } from '../input.ts'
import { stampResult, storeStamped } from '../results.ts'
import { measureSteps } from './steps.ts'
import type { StepCost } from './stopwatch.ts'

/** `make bench-steps`: what each step of the way of a record costs by itself. */

const [smallest] = chooseCases('u-smoke') as readonly UpsertCase[]
const steps: StepCost[] = []
const stamp = stampResult()
await measureSteps(upsertData(smallest!), (cost) => {
  steps.push(cost)
  process.stderr.write(`  ${cost.step}\n`)
})
const rows = steps.map(({ step, unit, nanosecondsPerRow, cpuNanosecondsPerRow, rowsPerCpuSecond }) => [
  ...[step, unit, String(nanosecondsPerRow), String(cpuNanosecondsPerRow)],
  rowsPerCpuSecond.toLocaleString('en-US'),
])
process.stdout.write(`${aligned([['step', 'of a', 'ns', 'CPU ns', 'a CPU second'], ...rows]).join('\n')}\n`)
process.stdout.write(`stored in ${storeStamped('steps', { ...stamp(), steps })}\n`)
