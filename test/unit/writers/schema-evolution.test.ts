import { describe, expect, test } from 'vitest'
import {
  arrayOf,
  type Cell,
  type DeltaType,
  decimal,
  struct,
  UNAVAILABLE,
} from '../../../schemas/delta-types.ts'
import { renderSchemaString } from '../../../writers/delta/schema-string.ts'
import { type ColumnTypes, changeEvent, type Values } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { ForeignWriter } from '../../support/foreign-writer.ts'
import { TestTable } from '../../support/test-table.ts'

let lsn = 1000

/** The next event in the history of `public.items`, whose columns are these now. */
function event(columns: ColumnTypes, after: Values, before: Values | null = null) {
  lsn += 10
  return changeEvent({ columns, after, before, position: lsn, op: before === null ? 'c' : 'u' })
}

function update(columns: ColumnTypes, after: Values) {
  lsn += 10
  return changeEvent({ columns, after, op: 'u', position: lsn })
}

async function columnsOf(table: TestTable): Promise<Record<string, DeltaType>> {
  const { schema } = await table.snapshot()
  const source = schema.fields.filter(({ name }) => !name.startsWith('_cdc_'))
  return Object.fromEntries(source.map(({ name, type }) => [name, type]))
}

async function propertyOf(table: TestTable, name: string): Promise<string | undefined> {
  return (await table.snapshot()).metadata.configuration[name]
}

describe('a column that the source', () => {
  const OLD = { id: 'long', v: 'string' } as const
  const NEW = { ...OLD, added: 'integer' } as const

  test('adds begins at the very event, in the middle of a batch or at its start', async () => {
    const events = [
      event(OLD, { id: 1n, v: 'a' }),
      event(NEW, { id: 2n, v: 'b', added: 7 }),
      update(NEW, { id: 1n, v: 'c', added: 8 }),
      event(NEW, { id: 3n, v: 'd', added: null }),
    ]
    for (let cut = 0; cut < events.length; cut++) {
      const table = await TestTable.open()
      if (cut > 0) await table.apply(...events.slice(0, cut))
      await table.apply(...events.slice(cut))
      const rows = (await table.rows()).map(({ id, v, added }) => `${id} ${v} ${added}`)
      expect(rows.sort()).toEqual(['1 c 8', '2 b 7', '3 d null'])
    }
  })

  test('drops stays in the table, and is null in rows that are told after that', async () => {
    const table = await TestTable.open()
    await table.apply(event(NEW, { id: 1n, v: 'a', added: 1 }), event(NEW, { id: 2n, v: 'b', added: 2 }))
    await table.apply(update(OLD, { id: 2n, v: 'c' }))
    expect(await table.rows()).toEqual([
      { id: 1n, v: 'a', added: 1 },
      { id: 2n, v: 'c', added: null },
    ])
  })

  test('renames stays under its old name, and appears under the new one', async () => {
    const table = await TestTable.open()
    await table.apply(event(OLD, { id: 1n, v: 'a' }))
    await table.apply(event({ id: 'long', w: 'string' }, { id: 2n, w: 'b' }))
    expect(await columnsOf(table)).toEqual({ id: 'long', v: 'string', w: 'string' })
    expect(await table.rows()).toEqual([
      { id: 1n, v: 'a', w: null },
      { id: 2n, v: null, w: 'b' },
    ])
  })

  test('adds leaves alone what others have put on the columns and on the table', async () => {
    const table = await TestTable.open()
    await table.apply(event(OLD, { id: 1n, v: 'a' }))
    await new ForeignWriter(table.store).commit(async ({ metadata, schema }) => {
      const comment = { comment: 'what it is for' }
      const fields = [
        ...schema.fields.map((field) => (field.name === 'v' ? { ...field, metadata: comment } : field)),
        { name: 'theirs', type: 'string' as const, nullable: true, metadata: comment },
      ]
      return [
        { ...metadata, description: 'items of the shop', schemaString: renderSchemaString(struct(fields)) },
      ]
    })
    await table.apply(event(NEW, { id: 2n, v: 'b', added: 7 }))
    const { metadata, schema } = await table.snapshot()
    expect(metadata.description).toBe('items of the shop')
    const commented = schema.fields.filter((field) => 'comment' in field.metadata).map(({ name }) => name)
    expect(commented).toEqual(['v', 'theirs'])
    expect((await table.rows()).map(({ id, theirs, added }) => `${id} ${theirs} ${added}`).sort()).toEqual([
      '1 null null',
      '2 null 7',
    ])
  })

  test('has only in older before-images is not forgotten by a full feed', async () => {
    const table = await TestTable.open({ contract: { replicaIdentity: 'full', changeFeed: 'full' } })
    await table.apply(event(NEW, { id: 1n, v: 'a', added: 1 }))
    await table.apply(event(OLD, { id: 1n, v: 'b' }, { id: 1n, v: 'a' }))
    const { changes } = (await deriveFeed(table.store)).at(-1)!
    const preimage = changes.find(({ type }) => type === 'update_preimage')!
    expect(preimage.row).toMatchObject({ id: 1n, v: 'a', added: 1 })
  })

  test("fills with a default is marked incomplete, once it is in the table without the older rows' values", async () => {
    const columns: ColumnTypes = { ...OLD, filled: { hasDefault: 'integer' } }
    const table = await TestTable.open()
    await table.apply(event(OLD, { id: 1n, v: 'a' }))
    expect(await propertyOf(table, 'alluvium.incomplete')).toBeUndefined()
    await table.apply(event(columns, { id: 2n, v: 'b', filled: 5 }))
    expect(await propertyOf(table, 'alluvium.incomplete')).toBe('["filled"]')
  })

  test('fills with a default is complete where the table begins with it', async () => {
    const columns: ColumnTypes = { ...OLD, filled: { hasDefault: 'integer' } }
    const table = await TestTable.open()
    await table.apply(event(columns, { id: 1n, v: 'b', filled: 5 }))
    expect(await propertyOf(table, 'alluvium.incomplete')).toBeUndefined()
    const late = await TestTable.open()
    await late.apply(event(OLD, { id: 1n, v: 'a' }), event(columns, { id: 2n, v: 'b', filled: 5 }))
    expect(await propertyOf(late, 'alluvium.incomplete')).toBe('["filled"]')
  })
})

describe('a column that widens in mid-stream', () => {
  test.each<[string, DeltaType, Cell, DeltaType, Cell, Cell]>([
    ['integer to long', 'integer', -7, 'long', 2n ** 40n, -7n],
    ['short to integer', 'short', 300, 'integer', 70_000, 300],
    ['float to double', 'float', 0.5, 'double', 0.1, 0.5],
    ['decimal to more digits', decimal(4, 1), 15n, decimal(10, 3), 2500n, 1500n],
    ['an array of integers to longs', arrayOf('integer'), [1, null], arrayOf('long'), [2n], [1n, null]],
  ])('from %s has exact values in old and new rows', async (_, from, old, to, fresh, widened) => {
    const table = await TestTable.open()
    await table.apply(
      event({ id: 'long', v: from }, { id: 1n, v: old }),
      event({ id: 'long', v: from }, { id: 2n, v: old }),
    )
    await table.apply(
      event({ id: 'long', v: to }, { id: 3n, v: fresh }),
      update({ id: 'long', v: to }, { id: 2n, v: fresh }),
    )
    expect(await columnsOf(table)).toEqual({ id: 'long', v: to })
    expect(await table.rows()).toEqual([
      { id: 1n, v: widened },
      { id: 2n, v: fresh },
      { id: 3n, v: fresh },
    ])
  })

  test('is written anew at once, in a commit that the change feed is silent about', async () => {
    const table = await TestTable.open({ contract: { changeFeed: 'full' } })
    const narrow = { id: 'long', v: 'integer' } as const
    await table.apply(event(narrow, { id: 1n, v: 1 }), event(narrow, { id: 2n, v: 2 }))
    await table.apply(update(narrow, { id: 2n, v: 3 }))
    const before = [...(await table.snapshot()).files.values()].map(({ path }) => path)
    await table.apply(event({ id: 'long', v: 'long' }, { id: 3n, v: 4n }))
    expect(table.writer.version).toBe(3)
    const rewrite = (await table.entries())[2]!
    expect(rewrite.flatMap((action) => (action.kind === 'remove' ? [action.path] : []))).toEqual(before)
    expect(rewrite.filter((action) => 'dataChange' in action && action.dataChange)).toEqual([])
    expect((await deriveFeed(table.store))[2]).toMatchObject({ version: 2, changes: [] })
    expect((await deriveFeed(table.store))[3]!.changes.map(({ row }) => row['id'])).toEqual([3n])
  })

  test('leads to the same rows wherever the batch is cut, also when it is the key', async () => {
    const narrow = { id: 'integer', v: 'string' } as const
    const wide = { id: 'long', v: 'string' } as const
    const events = [
      event(narrow, { id: 1, v: 'a' }),
      event(narrow, { id: 2, v: 'b' }),
      update(wide, { id: 1n, v: 'c' }),
      event(wide, { id: 2n ** 33n, v: 'd' }),
      update(narrow, { id: 2, v: 'e' }),
    ]
    for (let cut = 1; cut <= events.length; cut++) {
      const table = await TestTable.open()
      await table.apply(...events.slice(0, cut))
      await table.reopen()
      await table.apply(...events.slice(cut))
      expect((await table.rows()).map(({ id, v }) => `${id} ${v}`)).toEqual(['1 c', '2 e', '8589934592 d'])
    }
  })

  test('is the column that the table is partitioned by', async () => {
    const table = await TestTable.open({ contract: { partitionBy: ['v'] } })
    await table.apply(event({ id: 'long', v: decimal(4, 1) }, { id: 1n, v: -15n }))
    await table.apply(event({ id: 'long', v: decimal(10, 3) }, { id: 2n, v: 2501n }))
    expect(await table.rows()).toEqual([
      { id: 1n, v: -1500n },
      { id: 2n, v: 2501n },
    ])
  })

  test('takes narrower events as before', async () => {
    const table = await TestTable.open()
    await table.apply(event({ id: 'long', v: 'long' }, { id: 1n, v: 5n }))
    await table.apply(event({ id: 'long', v: 'integer' }, { id: 2n, v: 6 }))
    expect(table.writer.version).toBe(1)
    expect(await columnsOf(table)).toEqual({ id: 'long', v: 'long' })
    expect(await table.rows()).toEqual([
      { id: 1n, v: 5n },
      { id: 2n, v: 6n },
    ])
  })

  test('keeps a value that a narrower event does not send', async () => {
    const prices = arrayOf(decimal(10, 3))
    const table = await TestTable.open()
    await table.apply(event({ id: 'long', v: prices }, { id: 1n, v: [1500n] }))
    await table.apply(update({ id: 'long', v: arrayOf(decimal(4, 1)) }, { id: 1n, v: UNAVAILABLE }))
    expect(await table.rows()).toEqual([{ id: 1n, v: [1500n] }])
  })

  test('is read back by a writer that starts anew', async () => {
    const table = await TestTable.open()
    await table.apply(event({ id: 'integer', v: 'integer' }, { id: 1, v: 1 }))
    await table.apply(event({ id: 'long', v: 'long' }, { id: 2n, v: 2n }))
    await table.reopen()
    await table.apply(update({ id: 'long', v: 'long' }, { id: 1n, v: 3n }))
    expect(await table.rows()).toEqual([
      { id: 1n, v: 3n },
      { id: 2n, v: 2n },
    ])
  })
})

describe('a column that cannot be held', () => {
  test.each<[string, DeltaType, Cell]>([
    ['text', 'string', 'x'],
    ['a date', 'date', 7],
    ['an array', arrayOf('integer'), [1]],
    ['a decimal of too many digits', decimal(38, 38), 1n],
  ])('because its type became %s stops the table, which stays as it was', async (_, type, cell) => {
    const table = await TestTable.open()
    const from = type === 'string' || type === 'date' ? 'integer' : decimal(38, 0)
    await table.apply(event({ id: 'long', v: from }, { id: 1n, v: from === 'integer' ? 1 : 1n }))
    const objects = [...table.store.objects.keys()]
    const stopped = table.apply(event({ id: 'long', v: type }, { id: 2n, v: cell }))
    await expect(stopped).rejects.toMatchObject({ code: 'E_SCHEMA_INCOMPATIBLE', remedy: 'stop-table' })
    expect([...table.store.objects.keys()]).toEqual(objects)
  })

  test.each([
    [['v', 'V'], /v and V differ only in case/],
    [['_change_type'], /"_change_type" has a name that the change feed/],
    [['_commit_version'], /"_commit_version"/],
    [['_CDC_x'], /"_CDC_x"/],
  ])('because of its name %j stops the table and names the cure', async (names, message) => {
    const table = await TestTable.open()
    const columns = {
      id: 'long',
      ...Object.fromEntries(names.map((name) => [name, 'string'])),
    } as ColumnTypes
    const stopped = table.apply(event(columns, { id: 1n }))
    await expect(stopped).rejects.toMatchObject({ code: 'E_COLUMN_NAME', remedy: 'stop-table' })
    await expect(stopped).rejects.toThrow(message)
    await expect(stopped).rejects.toThrow('column.exclude.list')
    expect(table.store.objects.size).toBe(0)
  })

  test('as it is called is stored under another name, and known by its own', async () => {
    const names = ['a b', 'a,b', 'x=1', '_u0020', 'größe', 'dot.ted', '1st', '%']
    const columns = Object.fromEntries([
      ['id', 'long'],
      ...names.map((name) => [name, 'string']),
    ]) as ColumnTypes
    const table = await TestTable.open()
    await table.apply(event(columns, { id: 1n, ...Object.fromEntries(names.map((name) => [name, name])) }))
    await table.reopen()
    await table.apply(
      update(columns, { id: 1n, ...Object.fromEntries(names.map((name) => [name, `new ${name}`])) }),
    )
    const [row] = await table.rows()
    expect(row).toMatchObject({
      a_u0020b: 'new a b',
      a_u002Cb: 'new a,b',
      _u005Fu0020: 'new _u0020',
      größe: 'new größe',
    })
    expect(Object.keys(row!)).toHaveLength(names.length + 1)
    const fields = (await table.snapshot()).schema.fields
    expect(fields.find(({ name }) => name === 'a_u0020b')!.metadata).toEqual({ 'alluvium.name': 'a b' })
  })
})

describe('a contract about the schema', () => {
  const OLD = { id: 'long', v: 'integer' } as const

  test.each<[string, ColumnTypes, Values]>([
    ['a new column', { ...OLD, w: 'string' }, { id: 2n, v: 1, w: 'x' }],
    ['a wider type', { id: 'long', v: 'long' }, { id: 2n, v: 1n }],
  ])('that says stop is stopped by %s', async (_, columns, row) => {
    const table = await TestTable.open({ contract: { schemaChanges: 'stop' } })
    await table.apply(event(OLD, { id: 1n, v: 1 }))
    const stopped = table.apply(event(columns, row))
    await expect(stopped).rejects.toMatchObject({ code: 'E_SCHEMA_CHANGED', remedy: 'stop-table' })
    expect(table.writer.version).toBe(0)
    expect(await table.rows()).toEqual([{ id: 1n, v: 1 }])
  })

  test('that says stop lets fewer columns and narrower types pass', async () => {
    const table = await TestTable.open({ contract: { schemaChanges: 'stop' } })
    await table.apply(event({ id: 'long', v: 'long' }, { id: 1n, v: 1n }))
    await table.apply(event({ id: 'long' }, { id: 2n }), event({ id: 'long', v: 'short' }, { id: 3n, v: 3 }))
    expect((await table.rows()).map(({ id, v }) => `${id} ${v}`)).toEqual(['1 1', '2 null', '3 3'])
  })

  test('that says contract takes the columns it names, and the key', async () => {
    const contract = { schemaChanges: 'contract', columns: { v: 'integer' } } as const
    const table = await TestTable.open({ contract })
    await table.apply(
      event({ ...OLD, toString: 'string' } as unknown as ColumnTypes, { id: 1n, v: 1, toString: 'x' }),
    )
    await table.apply(event({ ...OLD, more: 'string' }, { id: 2n, v: 2, more: 'y' }))
    expect(await table.rows()).toEqual([
      { id: 1n, v: 1 },
      { id: 2n, v: 2 },
    ])
  })

  test('that names another key than the topic has stops the table', async () => {
    const table = await TestTable.open()
    await table.apply(event(OLD, { id: 1n, v: 1 }))
    const other = changeEvent({ columns: OLD, key: ['v'], after: { id: 2n, v: 2 }, position: 99_999 })
    await expect(table.apply(other)).rejects.toMatchObject({ code: 'E_KEY_CHANGED' })
    const none = changeEvent({ columns: OLD, key: null, after: { id: 2n, v: 2 }, position: 99_999 })
    await expect(table.apply(none)).rejects.toMatchObject({ code: 'E_KEY_CHANGED' })
    expect(await table.rows()).toEqual([{ id: 1n, v: 1 }])
  })

  test('that asks for a partition column that is not there stops the table before it is made', async () => {
    const table = await TestTable.open({ contract: { partitionBy: ['nowhere'] } })
    const stopped = table.apply(event(OLD, { id: 1n, v: 1 }))
    await expect(stopped).rejects.toMatchObject({ code: 'E_PARTITION_COLUMN' })
    expect(table.writer.version).toBeNull()
  })
})
