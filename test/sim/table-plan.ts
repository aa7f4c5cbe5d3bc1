import type { TableContract } from '../../schemas/contract.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import type { Mood } from './mood.ts'

/** What one table of the source is like, and what is decided about its copy. */
export interface TablePlan {
  /** `schema.table`. */
  readonly name: string
  readonly kind: 'keyed' | 'composite' | 'bag' | 'append'
  /** `REPLICA IDENTITY FULL`. */
  readonly full: boolean
  /** Topics that its records go to; by key. */
  readonly topics: readonly string[]
  readonly partitions: number
  /** Values that are stored out of line and did not change are left out. */
  readonly toast: boolean
  /** Rows that hold equal values are written all the same. */
  readonly touches: boolean
  readonly truncates: boolean
  /** Rows are read again while the stream goes on. */
  readonly reads: boolean
  readonly contract: Partial<TableContract>
  /** What strangers do to the copy. */
  readonly strangers: 'none' | 'rearrange' | 'change rows'
  /** Nothing ever happens to its rows, of which there are none. */
  readonly isIdle: boolean
}

const IDLE: TablePlan = {
  ...{
    name: 'public.idle',
    kind: 'keyed',
    full: false,
    topics: ['shop.public.idle'],
    partitions: 2,
    toast: false,
  },
  ...{ touches: false, truncates: false, reads: false, contract: {}, strangers: 'none', isIdle: true },
}

/** Tables of one seed: one of each kind at most times, with their own mix of what can happen to them. */
export function drawTables(
  random: SeededRandom,
  { strangersFirst, sharing, hasIdleTable }: Mood,
): TablePlan[] {
  const count = 1 + random.below(4)
  const tables: TablePlan[] = []
  for (let i = 0; i < count; i++)
    tables.push(drawTable(`public.t${i}`, random, strangersFirst > 0 ? 0.1 : 0.6))
  const shared = shareTopic(tables, random, sharing)
  return hasIdleTable ? [...shared, IDLE] : shared
}

function drawTable(name: string, random: SeededRandom, undisturbed: number): TablePlan {
  const kind = random.chance(0.55) ? 'keyed' : pick(random, ['composite', 'bag', 'append'] as const)
  const full = kind === 'bag' || random.chance(0.5)
  const isKeyed = kind === 'keyed' || kind === 'composite'
  const strangers = random.chance(undisturbed) ? 'none' : pick(random, ['rearrange', 'change rows'] as const)
  const changesRows = strangers === 'change rows'
  const partitions = kind === 'bag' ? 1 : 1 + random.below(3)
  const byTwoTopics = isKeyed && random.chance(0.15)
  const topics = byTwoTopics ? [`east.${name}`, `west.${name}`] : [`shop.${name}`]
  return {
    name,
    kind,
    full,
    topics,
    partitions,
    toast: isKeyed && !full && !changesRows && random.chance(0.6),
    touches: !changesRows && random.chance(0.7),
    truncates: random.chance(0.3),
    reads: isKeyed && !changesRows && random.chance(0.5),
    contract: { ...drawContract(kind, full, random), ...(byTwoTopics ? { topics: [`*.${name}`] } : {}) },
    strangers,
    isIdle: false,
  }
}

function drawContract(kind: TablePlan['kind'], full: boolean, random: SeededRandom): Partial<TableContract> {
  const deadLetters = { maxShare: 1 }
  const changeFeed = pick(random, ['auto', 'auto', 'full', 'rows', 'off'] as const)
  const known = full && random.chance(0.5) ? { replicaIdentity: 'full' as const } : {}
  if (kind === 'append') return { mode: 'append', changeFeed, deadLetters, ...known }
  const typed = random.chance(0.5) ? { columns: columnsOf(kind) } : {}
  const atOnce = changeFeed !== 'rows' && random.chance(0.2) ? { merge: 'at-once' as const } : {}
  const soft = kind !== 'bag' && random.chance(0.15) ? { deletes: 'soft' as const } : {}
  return { changeFeed, deadLetters, ...known, ...typed, ...atOnce, ...soft }
}

function columnsOf(kind: TablePlan['kind']): Readonly<Record<string, string>> {
  const key: Record<string, string> = kind === 'composite' ? { id: 'bigint', sub: 'text' } : { id: 'bigint' }
  return { ...key, n: 'integer', txt: 'text', big: 'text' }
}

/** Now and then two tables come by one topic. */
function shareTopic(tables: readonly TablePlan[], random: SeededRandom, sharing: number): TablePlan[] {
  const [first, second, ...rest] = tables
  if (!first || !second || !random.chance(sharing)) return [...tables]
  const topic = 'shop.shared'
  const partitions = first.kind === 'bag' || second.kind === 'bag' ? 1 : first.partitions
  const shared = (table: TablePlan): TablePlan => ({
    ...table,
    topics: [topic],
    partitions,
    contract: { ...table.contract, topics: [topic] },
  })
  return [shared(first), shared(second), ...rest]
}

export function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[random.below(from.length)]!
}
