import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aligned } from '../aligned.ts'
import { chooseCases, EVENTS_A_BATCH, type UpsertCase } from '../cases.ts'
import { Contestant } from '../contestant.ts'
import { ourLake, ourPlaces, upsertData } from '../input.ts'
import { describeCommit } from '../machine.ts'
import { compiled, ROOT, WORK } from '../places.ts'
import { flameSvg } from './flame-svg.ts'
import { type CpuProfile, flameTree, selfTimes } from './flame-tree.ts'

/** `make bench-flame`: where the time of upserts goes, as docs/flame-upserts.svg; the greatest self times are printed. */

const BATCHES = 40
const SHOWN = 25

const [each] = chooseCases('u-1m-quick') as readonly UpsertCase[]
const data = upsertData(each!)
const path = join(WORK, 'upserts.cpuprofile')
const settings = [...ourPlaces(data, ourLake(each!)), '--batch-rows', String(EVENTS_A_BATCH)]
const engine = await Contestant.start(process.execPath, [
  ...[compiled('engine/engine-process.js'), ...settings, '--profile', path],
])
await engine.runBatches(0, BATCHES - 1)
await engine.end()
const tree = flameTree(JSON.parse(readFileSync(path, 'utf8')) as CpuProfile)
const title = `U, 1 million rows, batches 2–${BATCHES}, whole rows before: CPU time of alluvium ${describeCommit()}`
const svg = flameSvg(tree, title)
writeFileSync(join(ROOT, 'docs/flame-upserts.svg'), svg)
const events = (BATCHES - 1) * EVENTS_A_BATCH
const rows = selfTimes(tree)
  .slice(0, SHOWN)
  .map(({ name, file, us }) => [
    ...[
      `${((us / tree.totalUs) * 100).toFixed(1)} %`,
      `${Math.round((us * 1000) / events)} ns/event`,
      name,
      file,
    ],
  ])
process.stdout.write(`${aligned([['self', '', 'function', 'file'], ...rows]).join('\n')}\n`)
process.stdout.write(`docs/flame-upserts.svg: ${Math.round(svg.length / 1024)} KB\n`)
