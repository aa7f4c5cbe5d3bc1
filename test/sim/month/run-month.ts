import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { tellSummary } from '../part-summary.ts'
import type { DayFigures } from './ceilings.ts'
import { playMonth } from './month-play.ts'

/** With less than a week to play, a table that keeps less has old entries and removed files to be rid of as well. */
const SHORT_DAYS = 10
const KEPT_IN_SHORT = { log: 12, files: 6 }

/** `DAYS=n`; `CADENCE=s`: seconds between commits; `FIGURES=file`: where the series goes, as JSON. Exits 1 when a ceiling did not hold. */
async function main(): Promise<number> {
  const began = Date.now()
  const days = Number(process.env['DAYS'] ?? 2)
  const cadence = process.env['CADENCE']
  const result = await playMonth({
    days,
    ...(cadence === undefined ? {} : { cadenceMs: 1000 * Number(cadence) }),
    ...(days < SHORT_DAYS ? { keptHours: KEPT_IN_SHORT } : {}),
    onDay: (figures) => console.log(lineOf(figures)),
  })
  const path = process.env['FIGURES']
  if (path !== undefined) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify(result.days, null, 1)}\n`)
  }
  for (const failure of result.failures) console.log(failure)
  const { user, system } = process.cpuUsage()
  const cpuSeconds = Math.round((user + system) / 1e6)
  const versions = result.days.at(-1)?.version ?? 0
  const played = result.days.length
  const seconds = ((Date.now() - began) / 1000).toFixed(0)
  console.log(`month: ${played} days, ${versions} versions in ${seconds} s (${cpuSeconds} s of CPU)`)
  tellSummary('month', { days: played, versions, cpuSeconds, failed: result.failures })
  return result.failures.length === 0 ? 0 : 1
}

function lineOf(figures: DayFigures): string {
  const { day, version, liveFiles, tombstones, fileObjects, logObjects, openMs, heapMb, requests } = figures
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  return [
    `day ${day}: version ${version}`,
    `${liveFiles} live files of ${mb(figures.liveBytes)}`,
    `deleted ${(figures.deletedShare * 100).toFixed(0)} %`,
    `vectors ${mb(figures.vectorBytes)}`,
    `${tombstones} tombstones`,
    `${fileObjects} + ${figures.changeFileObjects} files of ${mb(figures.fileBytes)}`,
    `log ${logObjects} objects of ${mb(figures.logBytes)}`,
    `opened by ${mb(figures.openBytes)} in ${openMs.toFixed(0)} ms`,
    `requests ${requests.writes} + ${requests.reads} + ${requests.deletes}`,
    `written ${mb(figures.writtenBytes)}`,
    `heap ${heapMb.toFixed(0)} MB`,
    `${figures.cpuSeconds.toFixed(0)} s of CPU`,
  ].join(', ')
}

process.exitCode = await main()
