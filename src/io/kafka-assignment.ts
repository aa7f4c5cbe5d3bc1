/** What of a topic is shared out, and how heavy it is. */
export interface WeighedTopic {
  readonly topic: string
  readonly partitions: readonly WeighedPartition[]
}

export interface WeighedPartition {
  readonly partition: number
  /** Of all records that the topic keeps, as far as they are known. */
  readonly bytes: number
}

/** Which topics and partitions have to stay with one member. */
export interface TopicTies {
  /** Names of the tables that a topic can feed. */
  tablesOf(topic: string): readonly string[]
  /** Whether several members may write a table, each its own partitions (`spread: partitions`). */
  isSpread(table: string): boolean
}

/** Partitions by topic, by member; a member may get nothing. */
export type Assignment = Map<string, Map<string, readonly number[]>>

/** A partition costs its member requests and a place in memory, whatever it holds. */
const PARTITION_BYTES_MIN = 1024 * 1024

/**
 * Gives all partitions of a topic, and all topics that feed one table, to one member: a table has one writer (design
 * §2), unless all tables of a topic are spread: then its partitions go one by one. Deterministic: heaviest first to the
 * member with the fewest bytes, then by name.
 *
 * Bytes count as powers of two: tables of about one size do not change places because one of them grew a little.
 */
export function assignTables(
  members: readonly string[],
  topics: readonly WeighedTopic[],
  ties: TopicTies,
): Assignment {
  const loads = members.toSorted(byText).map((member) => ({ member, bytes: 0, partitions: [] as Place[] }))
  for (const { places, bytes } of bundlesOf(topics, ties)) {
    const least = loads.reduce((best, load) => (load.bytes < best.bytes ? load : best))
    least.partitions.push(...places)
    least.bytes += bytes
  }
  return new Map(loads.map(({ member, partitions }) => [member, byTopic(partitions)]))
}

/** The given topics, and all that are tied to them by a table they both feed, or by others that are. */
export function tiedTopics(
  given: readonly string[],
  topics: readonly string[],
  tablesOf: (topic: string) => readonly string[],
): ReadonlySet<string> {
  const bundles = tie([...new Set([...given, ...topics])], tablesOf)
  return new Set(bundles.filter((bundle) => bundle.some((topic) => given.includes(topic))).flat())
}

interface Place {
  readonly topic: string
  readonly partition: number
}

/** What goes to one member as a whole. */
interface Bundle {
  readonly places: readonly Place[]
  readonly bytes: number
}

/** The heaviest first. */
function bundlesOf(topics: readonly WeighedTopic[], ties: TopicTies): readonly Bundle[] {
  const partitionsOf = new Map(topics.map(({ topic, partitions }) => [topic, partitions]))
  const wholeTables = (topic: string) => ties.tablesOf(topic).filter((table) => !ties.isSpread(table))
  const weighed = (topic: string) =>
    partitionsOf.get(topic)!.map(({ partition, bytes }) => ({ topic, partition, bytes }))
  return tie([...partitionsOf.keys()], wholeTables)
    .flatMap((bundle) => {
      const places = bundle.flatMap(weighed)
      const isWhole = bundle.some((topic) => wholeTables(topic).length > 0)
      return isWhole ? [places] : places.map((place) => [place])
    })
    .map((places) => ({ places, bytes: weightOf(places) }))
    .sort((a, b) => b.bytes - a.bytes || byPlace(a.places[0], b.places[0]))
}

function weightOf(places: readonly WeighedPartition[]): number {
  if (places.length === 0) return 0
  const bytes = places.reduce((sum, each) => sum + Math.max(each.bytes, PARTITION_BYTES_MIN), 0)
  return 2 ** Math.ceil(Math.log2(bytes))
}

/** Topics in bundles that share no table, in order of name. */
function tie(
  topics: readonly string[],
  tablesOf: (topic: string) => readonly string[],
): readonly (readonly string[])[] {
  let bundles: { readonly tables: ReadonlySet<string>; readonly topics: readonly string[] }[] = []
  for (const topic of topics.toSorted(byText)) {
    const own = tablesOf(topic)
    const tied = bundles.filter(({ tables }) => own.some((table) => tables.has(table)))
    const merged = {
      tables: new Set([...own, ...tied.flatMap(({ tables }) => [...tables])]),
      topics: [...tied.flatMap((bundle) => bundle.topics), topic],
    }
    bundles = [...bundles.filter((bundle) => !tied.includes(bundle)), merged]
  }
  return bundles.map((bundle) => bundle.topics.toSorted(byText))
}

function byTopic(places: readonly Place[]): Map<string, readonly number[]> {
  const partitions = new Map<string, number[]>()
  for (const { topic, partition } of places) {
    partitions.set(topic, [...(partitions.get(topic) ?? []), partition])
  }
  return new Map([...partitions].map(([topic, numbers]) => [topic, numbers.sort((a, b) => a - b)]))
}

/** A bundle without partitions stands nowhere. */
function byPlace(a: Place | undefined, b: Place | undefined): number {
  if (a === undefined || b === undefined) return 0
  return byText(a.topic, b.topic) || a.partition - b.partition
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
