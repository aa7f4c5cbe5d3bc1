import { chooseCases } from './cases.ts'
import { describeCommit, describeMachine, describeVersions, loadOfLastMinute } from './machine.ts'
import { measureAppends } from './measure-appends.ts'
import { measureUpserts } from './measure-upserts.ts'
import { printResults } from './print-results.ts'
import { type CaseResult, storedResults, storeResult } from './results.ts'

/** `make bench`: measures the cases, stores what came out, and prints it beside the last stored run. */

const startedAt = new Date().toISOString()
const before = loadOfLastMinute()
const cases: CaseResult[] = []
for (const each of chooseCases(process.argv[2] ?? 'usual')) {
  process.stderr.write(`${each.name}\n`)
  cases.push(each.kind === 'upsert' ? await measureUpserts(each) : await measureAppends(each))
}
const result = {
  startedAt,
  commit: describeCommit(),
  machine: describeMachine(),
  versions: describeVersions(),
  load: { before, after: loadOfLastMinute() },
  cases,
}
const earlier = storedResults()
const path = storeResult(result)
process.stdout.write(printResults(result, earlier))
process.stdout.write(`stored in ${path}\n`)
const wrong = cases.flatMap(({ contestants }) => contestants).filter(({ verified }) => verified !== true)
process.exit(wrong.length === 0 ? 0 : 2)
