import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { toStandardJson } from '../../../../schemas/standard-record.ts'
import { PostgresCDCPipeline } from '../../../../src/library/postgres-cdc-pipeline.ts'
import { readChanges } from '../../../../src/library/read-changes.ts'
import { RECORDING, temporaryDirectory } from '../../../support/lake-of-recording.ts'

const directory = temporaryDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let lakes = 0
const newConfig = (files: string) => ({
  lake: join(directory, `lake-${lakes++}`),
  pipelines: { shop: { source: { files } } },
})
const stateDirectory = join(directory, 'state')

test('a program runs a pipeline to its end, and asks how it stands', async () => {
  const pipeline = new PostgresCDCPipeline({ config: newConfig(RECORDING), stateDirectory })
  expect(await pipeline.status()).toMatchObject({ state: 'idle', tables: [] })
  const report = await pipeline.start({ untilEnd: true })
  const status = await pipeline.status()
  expect(status).toMatchObject({ state: 'ended', records: report.records, tally: report.tally })
  expect(status.tables.find(({ name }) => name === 'inventory.customers')).toEqual({
    name: 'inventory.customers',
    state: 'streaming',
    version: report.tables.find(({ name }) => name === 'inventory.customers')!.version,
    pendingEvents: 0,
    stopped: null,
    lagSeconds: 0,
  })
  expect(() => pipeline.start()).toThrow('started once')
})

test('a batch has so many rows as the program says', async () => {
  const versionsWith = async (batchSize: number) => {
    const pipeline = new PostgresCDCPipeline({ config: newConfig(RECORDING), stateDirectory })
    const { tables } = await pipeline.start({ batchSize, untilEnd: true })
    return tables.find(({ name }) => name === 'inventory.customers')!.version!
  }
  expect(await versionsWith(2)).toBeGreaterThan(await versionsWith(10_000))
})

test('one that stays up ends when it is told to, with what it holds made durable', async () => {
  const pipeline = new PostgresCDCPipeline({ config: newConfig(RECORDING), stateDirectory })
  const run = pipeline.start()
  while ((await pipeline.status()).records === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  await pipeline.stop()
  const { records, tables } = await run
  expect(records).toBeGreaterThan(0)
  expect(tables.every(({ stopped }) => stopped === null)).toBe(true)
  expect(await pipeline.status()).toMatchObject({ state: 'ended' })
})

test('what is missing or wrong is named', async () => {
  const nothing = new PostgresCDCPipeline({ config: join(directory, 'none.yaml') })
  await expect(nothing.start()).rejects.toMatchObject({ code: 'E_NO_CONFIG' })
  const lakeless = new PostgresCDCPipeline({ config: { pipelines: {} } })
  await expect(lakeless.start()).rejects.toThrow('lake')
  await lakeless.stop()
  expect(await lakeless.status()).toMatchObject({ state: 'ended', tables: [] })
})

test('a consumer of its own reads the changes of the topics, in order, from where it wants', async () => {
  const config = newConfig(RECORDING)
  const read = async (startAt?: () => Promise<bigint>) => {
    const operations: string[] = []
    for await (const { record, decoded } of readChanges({
      ...{ config, groupId: 'mailer', untilEnd: true },
      ...(startAt === undefined ? {} : { startAt }),
    })) {
      if (record.topic.endsWith('.customers') && decoded.kind === 'change') {
        operations.push(toStandardJson(decoded).operation)
      }
    }
    return operations
  }
  const all = await read()
  expect(all[0]).toBe('INSERT')
  expect(all).toContain('DELETE')
  const later = await read(async () => 3n)
  expect(later.length).toBeLessThan(all.length)
  expect(all.slice(-later.length)).toEqual(later)
})

test('a consumer may leave in the middle', async () => {
  let seen = 0
  for await (const _ of readChanges({ config: newConfig(RECORDING), groupId: 'mailer' })) {
    seen++
    if (seen === 2) break
  }
  expect(seen).toBe(2)
})
