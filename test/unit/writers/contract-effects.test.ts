import { describe, expect, test } from 'vitest'
import { DEFAULT_CONTRACT, type TableContract } from '../../../schemas/contract.ts'
import { contractEffects } from '../../../writers/contract-effects.ts'
import { changeEvent } from '../../support/change-event.ts'
import { ForeignWriter } from '../../support/foreign-writer.ts'
import { TestTable } from '../../support/test-table.ts'

const COLUMNS = { id: 'integer', v: 'string' } as const

/** A table of two rows, made under this contract. */
async function tableOf(contract: Partial<TableContract> = {}): Promise<TestTable> {
  const table = await TestTable.open({ contract })
  await table.apply(changeEvent({ columns: COLUMNS, after: { id: 1, v: 'a' }, position: 10 }))
  await table.apply(changeEvent({ columns: COLUMNS, after: { id: 2, v: 'b' }, position: 11 }))
  return table
}

async function effects(made: Partial<TableContract>, contract: Partial<TableContract>) {
  const table = await tableOf(made)
  return contractEffects(await table.snapshot(), { ...DEFAULT_CONTRACT, name: 'public.items', ...contract })
}

describe('a contract that is held against a table', () => {
  test.each<[string, Partial<TableContract>]>([
    ['that it was made with', {}],
    ['that names what it has', { key: ['id'], columns: { id: 'integer', v: 'text' } }],
    ['of narrower columns: the table holds them', { columns: { id: 'smallint' } }],
    ['of columns whose form the connector decides', { columns: { v: 'interval' } }],
  ])('%s changes nothing', async (_, contract) => {
    expect(await effects({}, contract)).toEqual([])
  })

  test.each<[string, Partial<TableContract>, Partial<TableContract>, string, RegExp]>([
    ['a new column', {}, { columns: { total: 'numeric(10,2)' } }, 'change', /total decimal\(10,2\)/],
    ['a wider column', {}, { columns: { id: 'bigint' } }, 'rewrite', /id from integer to long/],
    ['soft deletes', {}, { deletes: 'soft' }, 'change', /_cdc_deleted/],
    ['another feed', {}, { changeFeed: 'full' }, 'change', /from auto to full/],
    ['no feed', {}, { changeFeed: 'off' }, 'stays', /feed is on .*enableChangeDataFeed' = 'false'/],
    ['a feed again', { changeFeed: 'off' }, {}, 'stays', /feed is off .*'true'/],
    ['partitions', {}, { partitionBy: ['v'] }, 'stays', /^unpartitioned/],
    ['no partitions', { partitionBy: ['v'] }, {}, 'stays', /^partitioned by v/],
    ['copy-on-write', {}, { merge: 'at-once' }, 'stays', /deletion vectors/],
  ])('tells %s', async (_, made, contract, kind, what) => {
    expect(await effects(made, contract)).toEqual([{ kind, what: expect.stringMatching(what) }])
  })

  test.each<[string, Partial<TableContract>]>([
    ['E_MODE_CHANGED', { mode: 'append' }],
    ['E_KEY_CHANGED', { key: ['v'] }],
    ['E_SCHEMA_INCOMPATIBLE', { columns: { v: 'integer' } }],
    ['E_SCHEMA_CHANGED', { columns: { total: 'bigint' }, schemaChanges: 'stop' }],
  ])('tells that it would stop the table: %s', async (code, contract) => {
    expect(await effects({}, contract)).toEqual([{ kind: 'stop', code, what: expect.anything() }])
  })

  test('what the writer refuses at its start is told in its words', async () => {
    const table = await tableOf()
    await new ForeignWriter(table.store).setProperty(
      'delta.setTransactionRetentionDuration',
      'interval 7 days',
    )
    const contract = { ...DEFAULT_CONTRACT, name: 'public.items' }
    const [effect] = contractEffects(await table.snapshot(), contract)
    const refused = await table.reopen().catch((error: unknown) => error)
    expect(effect).toEqual({
      kind: 'stop',
      code: 'E_PROGRESS_EXPIRES',
      what: (refused as Error).message,
    })
  })

  test('what widens is rewritten by the writer, and what it says it adds is there', async () => {
    const columns = { id: 'long', v: 'string', total: 'long' } as const
    const table = await tableOf()
    await table.reopen({ columns: { id: 'bigint', total: 'bigint' } })
    await table.apply(changeEvent({ columns, after: { id: 3n, v: 'c', total: 1n }, position: 20 }))
    const types = Object.fromEntries(
      (await table.snapshot()).schema.fields.map(({ name, type }) => [name, type]),
    )
    expect(types).toMatchObject({ id: 'long', total: 'long' })
  })
})
