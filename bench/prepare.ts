import { chooseCases } from './cases.ts'
import { prepare } from './input.ts'

/** `make bench-data`: generates the input of the cases and lays down our base tables, so that a run only measures. */

for (const each of chooseCases(process.argv[2] ?? 'usual')) {
  process.stderr.write(`${each.name}\n`)
  prepare(each)
}
