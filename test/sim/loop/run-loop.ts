import { runLoop } from './loop.ts'
import { printLoop } from './print-loop.ts'

/** Every call of every site fails in every way. Exits 1 when a run leaves another lake than the clean run, or a site out. */
const started = performance.now()
const report = await runLoop()
process.stdout.write(`${printLoop(report)}\nloop: ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
if (report.failures.length > 0 || report.sitesHit.length < report.sitesKnown) process.exitCode = 1
