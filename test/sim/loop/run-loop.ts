import { tellSummary } from '../part-summary.ts'
import { runLoop } from './loop.ts'
import { printLoop } from './print-loop.ts'

/** Calls of every site fail in every way (`LOOP=all`: every call). Exits 1 when a run leaves another lake than the clean run, or a site out. */
const started = performance.now()
const report = await runLoop({ calls: process.env['LOOP'] === 'all' ? 'all' : 'some' })
process.stdout.write(`${printLoop(report)}\nloop: ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
const { runs, sitesHit, sitesKnown, failures } = report
tellSummary('loop', { runs, sitesHit: sitesHit.length, sites: sitesKnown, failed: failures.length })
if (failures.length > 0 || sitesHit.length < sitesKnown) process.exitCode = 1
