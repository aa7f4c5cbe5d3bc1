import { liveRowCount } from '../writers/table/row-count.ts'
import { quietVerdict, touchedRows } from './check-checksum.ts'
import type { CheckedTable } from './checked-table.ts'
import type { DqLimits, DqPorts } from './dq-ports.ts'
import { type Look, takeLook } from './look.ts'
import type { Found } from './verdict.ts'

/** Rows of one look that nothing touched, and how many of the touched keys are there or not as nothing explains. */
interface Counts {
  readonly source: number
  readonly lake: number
  readonly difference: number
  readonly unexplained: number
}

/**
 * Counts the rows of a table on both sides: the source's by `count(*)`, the lake's from its log, without reading a row
 * where the table has a key. Keys that changed meanwhile are taken out and judged one by one.
 */
export async function checkRowCount(ports: DqPorts, limits: DqLimits, checked: CheckedTable): Promise<Found> {
  let before: Counts | null = null
  for (let looks = 1; ; looks++) {
    const taken = await takeLook(ports, limits, checked, {
      early: (source) => source.count(),
      work: countedAt,
    })
    if (taken.kind === 'none') return taken.found
    const { table, version, moment } = taken.look
    const { source, lake, difference, unexplained } = taken.result
    const rows = { sourceRows: source, lakeRows: lake, looks }
    const of = { version: version.version, snapshot: moment.visibility.snapshot, ...rows }
    if (difference === 0 && unexplained === 0)
      return { verdict: quietVerdict({ ...table, lossy: [] }), ...of }
    if (difference !== 0 && before !== null && before.difference !== 0) {
      const detail = `the lake has ${Math.abs(difference)} rows ${difference < 0 ? 'less' : 'more'} than the source`
      return { verdict: 'different', detail, mismatchCount: Math.abs(difference), ...of }
    }
    if (looks === limits.looksMax) return { verdict: 'deferred', deferred: unexplained, ...of }
    before = taken.result
  }
}

async function countedAt(look: Look, counting: Promise<number>): Promise<Counts> {
  const { touched, moment } = look
  const source = await counting
  const sourceTouched = await touchedRows(look)
  const lake = await lakeCounts(look)
  let [sourceOut, lakeOut, unexplained] = [0, 0, 0]
  for (const keyText of touched.keys()) {
    const hashes = sourceTouched.get(keyText) ?? []
    const lakeCount = lake.touched.get(keyText) ?? 0
    sourceOut += hashes.length
    lakeOut += lakeCount
    if (!touched.agreesInPresence(keyText, hashes, lakeCount, moment.visibility)) unexplained++
  }
  return { source, lake: lake.all, difference: lake.all - lakeOut - (source - sourceOut), unexplained }
}

interface LakeCounts {
  readonly all: number
  readonly touched: ReadonlyMap<string, number>
}

/** From the log, but where rows have no key or are only marked as deleted: then they have to be read. */
async function lakeCounts({ lake, table, version, touched, digests }: Look): Promise<LakeCounts> {
  const counts = new Map<string, number>()
  if (!table.hasSoftDeletes && (table.key !== null || touched.size === 0)) {
    for (const keyText of touched.keys()) counts.set(keyText, touched.lastCount(keyText))
    return { all: liveRowCount(version), touched: counts }
  }
  let all = 0
  await lake.scan((cells) => {
    all++
    const keyText = digests.keyText(cells)
    if (touched.has(keyText)) counts.set(keyText, (counts.get(keyText) ?? 0) + 1)
  })
  return { all, touched: counts }
}
