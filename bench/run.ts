import { chooseCases } from './cases.ts'
import { measureAppends } from './measure-appends.ts'
import { measureUpserts } from './measure-upserts.ts'
import { printResults } from './print-results.ts'
import { type CaseResult, type RunResult, stampResult, storedResults, storeStamped } from './results.ts'

/** `make bench`: measures the cases, stores what came out, and prints it beside the last stored run. */

const stamp = stampResult()
const cases: CaseResult[] = []
for (const each of chooseCases(process.argv[2] ?? 'usual')) {
  process.stderr.write(`${each.name}\n`)
  cases.push(each.kind === 'upsert' ? await measureUpserts(each) : await measureAppends(each))
}
const result: RunResult = { ...stamp(), cases }
const earlier = storedResults<RunResult>('work')
const path = storeStamped('work', result)
process.stdout.write(printResults(result, earlier))
process.stdout.write(`stored in ${path}\n`)
const wrong = cases.flatMap(({ contestants }) => contestants).filter(({ verified }) => verified !== true)
process.exit(wrong.length === 0 ? 0 : 2)
