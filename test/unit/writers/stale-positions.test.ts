import { expect, test } from 'vitest'
import type { TableContract } from '../../../schemas/contract.ts'
import { changeEvent } from '../../support/change-event.ts'
import { ForeignWriter } from '../../support/foreign-writer.ts'
import { TestTable } from '../../support/test-table.ts'

const TOPIC = 'shop.public.items'
const APP = `alluvium/p/${TOPIC}`

/** A writer that stands where partition 1 was read to 3; meanwhile somebody else has read it to 9. */
async function overtaken(contract: Partial<TableContract> = {}) {
  const table = await TestTable.open({ contract })
  for (const partition of [0, 1]) {
    const offset = 2
    await table.apply(
      changeEvent({ after: { id: BigInt(partition), v: 'a' }, position: 10, partition, offset }),
    )
  }
  await table.reopen()
  await new ForeignWriter(table.store).moveTxn(`${APP}/1`, 9n)
  const flush = async (partition: number, offset: number) => {
    table.writer.add(
      changeEvent({ after: { id: BigInt(offset), v: 'b' }, position: 10 * offset, partition, offset }),
    )
    await table.writer.flush([{ topic: TOPIC, partition, nextOffset: BigInt(offset) + 1n }])
  }
  const position = async (partition: number) =>
    (await table.snapshot()).txns.get(`${APP}/${partition}`)?.version
  return { flush, position }
}

// Found by the live lane: a member that had not heard of its end yet.
test('whoever moved any partition of a table fences a commit of another one', async () => {
  const { flush, position } = await overtaken()
  await expect(flush(0, 3)).rejects.toMatchObject({ code: 'E_FENCED', remedy: 'stop-table' })
  expect(await position(0)).toBe(3n)
})

test('a commit that was fenced once is fenced again, and moves nothing back', async () => {
  const { flush, position } = await overtaken()
  await expect(flush(0, 3)).rejects.toMatchObject({ code: 'E_FENCED' })
  await expect(flush(1, 4)).rejects.toMatchObject({ code: 'E_FENCED' })
  expect(await position(1)).toBe(9n)
})

test('others may move their partitions of a table that is spread; ours are refused when they come back stale', async () => {
  const { flush, position } = await overtaken({ spread: 'partitions' })
  await flush(0, 3)
  expect(await position(0)).toBe(4n)
  await expect(flush(1, 4)).rejects.toMatchObject({ code: 'E_FENCED' })
  await expect(flush(1, 12)).rejects.toMatchObject({ code: 'E_FENCED' })
  expect(await position(1)).toBe(9n)
})
