import { type FileEntry, identityOf, type LogEntry } from './log-replay.ts'
import { difference, expectSame, expectThat } from './sim-failure.ts'
import type { StoredRow, StoredTable } from './stored-table.ts'

export interface FeedCheck {
  readonly where: string
  readonly table: StoredTable
  readonly entry: LogEntry
  readonly before: readonly StoredRow[]
  readonly after: readonly StoredRow[]
  /** Key of a row; `null`: the table has none. */
  readonly keyOf: ((row: StoredRow) => string) | null
  /** Whether a row may be told to go and to come as it was. */
  readonly mayRepeat: (row: StoredRow) => boolean
}

/**
 * The feed of one commit is the difference that the commit made, no more and no less: told by change files, or else by
 * what readers derive from the files that it adds and removes.
 */
export async function checkFeed(check: FeedCheck): Promise<void> {
  const { entry, where } = check
  const feed = entry.cdcs.length > 0 ? await writtenFeed(check) : await derivedFeed(check)
  const made = difference(check.before, check.after, ({ whole }) => whole)
  const told = withoutRepeats(feed, check.mayRepeat)
  const wanted = withoutRepeats({ gone: made.onlyA, come: made.onlyB }, check.mayRepeat)
  // Of a pre-image only the position is promised of our own columns (docs/guide/change-feed.md).
  const known = (rows: readonly StoredRow[]) => rows.map((row) => row.known)
  const whole = (rows: readonly StoredRow[]) => rows.map((row) => row.whole)
  expectSame(`${where}: rows that the feed takes away`, known(told.gone), known(wanted.gone))
  expectSame(`${where}: rows that the feed brings`, whole(told.come), whole(wanted.come))
}

interface Feed {
  readonly gone: readonly StoredRow[]
  readonly come: readonly StoredRow[]
}

async function writtenFeed({ entry, table, where, keyOf }: FeedCheck): Promise<Feed> {
  const rows: StoredRow[] = []
  for (const file of entry.cdcs) rows.push(...(await table.liveRowsOf(file)))
  const of = (type: string) => rows.filter(({ changeType }) => changeType === type)
  const [inserts, deletes] = [of('insert'), of('delete')]
  const [pre, post] = [of('update_preimage'), of('update_postimage')]
  if (keyOf !== null) {
    const keys = (of: readonly StoredRow[]) => of.map(keyOf)
    expectSame(`${where}: keys before and after an update`, keys(pre), keys(post))
    const all = [...keys(inserts), ...keys(deletes), ...keys(pre)]
    expectThat(new Set(all).size === all.length, `${where}: a key has two changes in one commit`)
  }
  return { gone: [...deletes, ...pre], come: [...inserts, ...post] }
}

async function derivedFeed({ entry, table }: FeedCheck): Promise<Feed> {
  const removes = new Map(
    entry.removes.filter(({ dataChange }) => dataChange).map((file) => [file.path, file]),
  )
  const gone: StoredRow[] = []
  const come: StoredRow[] = []
  for (const add of entry.adds.filter(({ dataChange }) => dataChange)) {
    const remove = removes.get(add.path)
    removes.delete(add.path)
    if (remove !== undefined && identityOf(remove.deletionVector) === identityOf(add.deletionVector)) continue
    const [was, is] = [
      remove === undefined ? [] : await table.liveRowsOf(whole(remove, add)),
      await table.liveRowsOf(add),
    ]
    gone.push(...was.filter((row) => !is.includes(row)))
    come.push(...is.filter((row) => !was.includes(row)))
  }
  for (const remove of removes.values()) gone.push(...(await table.liveRowsOf(remove)))
  return { gone, come }
}

function withoutRepeats({ gone, come }: Feed, mayRepeat: FeedCheck['mayRepeat']): Feed {
  const { onlyA, onlyB } = difference(gone.filter(mayRepeat), come.filter(mayRepeat), ({ known }) => known)
  const once = (rows: readonly StoredRow[]) => rows.filter((row) => !mayRepeat(row))
  return { gone: [...once(gone), ...onlyA], come: [...once(come), ...onlyB] }
}

/** A `remove` need not say all that its `add` does. */
function whole(remove: FileEntry, add: FileEntry): FileEntry {
  const { deletionVector: _, ...file } = add
  return remove.deletionVector === undefined ? file : { ...file, deletionVector: remove.deletionVector }
}
