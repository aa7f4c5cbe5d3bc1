import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decimalBase64 } from '../../support/account.ts'
import { generateTopic, type TopicPlan } from '../../support/generate-topic.ts'

const PLAN: TopicPlan = { seed: 7, records: 4_000, partitions: 3, replicaIdentity: 'full', resends: 2 }

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-topic-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

interface Line {
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: string | null
}

function linesOf(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

function generate(plan: TopicPlan) {
  const topic = generateTopic(directory, plan)
  const file = join(directory, 'shop.public.accounts.jsonl')
  const text = readFileSync(file, 'utf8')
  rmSync(file)
  return { ...topic, text, lines: linesOf(text) }
}

/** `[sequence, lsn]` of a streamed event; the first transaction has no sequence and counts by its LSN. */
function positionOf(value: string): [number, number] {
  const [sequence, lsn] = JSON.parse(JSON.parse(value).source.sequence) as [string | null, string]
  return [Number(sequence ?? lsn), Number(lsn)]
}

describe('a generated topic', () => {
  test('is the same for the same seed and another for another', () => {
    const first = generate(PLAN)
    expect(generate(PLAN).text).toBe(first.text)
    expect(generate({ ...PLAN, seed: 8 }).text).not.toBe(first.text)
  })

  test('has dense offsets, and every key in one partition', () => {
    const { lines, records } = generate(PLAN)
    expect(lines).toHaveLength(records)
    const next = [0, 0, 0]
    const partitionOf = new Map<string, number>()
    for (const { partition, offset, key } of lines) {
      expect(offset).toBe(next[partition]!++)
      expect(partitionOf.get(key) ?? partition).toBe(partition)
      partitionOf.set(key, partition)
    }
  })

  test('has positions that never go back, while bare LSNs do', () => {
    const { lines } = generate({ ...PLAN, resends: 0 })
    const streamed = lines.filter(({ value }) => value !== null && !value.includes('"op":"r"'))
    const positions = streamed.map(({ value }) => positionOf(value!))
    const steps = positions.slice(1).map((position, i) => [positions[i]!, position] as const)
    expect(steps.every(([a, b]) => a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]))).toBe(true)
    expect(steps.some(([a, b]) => a[1] > b[1])).toBe(true)
  })

  test('leads to its final rows when each key takes its last event by position', () => {
    const { lines, rows } = generate(PLAN)
    const last = new Map<string, { position: [number, number]; after: unknown }>()
    for (const { key, value } of lines) {
      if (value === null) continue
      const isSnapshot = value.includes('"op":"r"')
      const position: [number, number] = isSnapshot ? [0, 0] : positionOf(value)
      const before = last.get(key)?.position ?? [-1, -1]
      const isNewer = position[0] > before[0] || (position[0] === before[0] && position[1] > before[1])
      if (isNewer) last.set(key, { position, after: JSON.parse(value).after })
    }
    const live = [...last].filter(([, { after }]) => after !== null).map(([key]) => key)
    expect(live.sort()).toEqual(rows.map((row) => `{"id":${row['id']}}`).sort())
    expect(rows.length).toBeGreaterThan(500)
  })

  test('sends records again that it sent before, byte for byte', () => {
    const { lines } = generate(PLAN)
    const values = lines.flatMap(({ value }) => value ?? [])
    expect(values.length - new Set(values).size).toBeGreaterThan(300)
  })
})

test.each([
  [0n, 'AA=='],
  [-150n, '/2o='],
  [128n, 'AIA='],
  [-128n, 'gA=='],
])('a decimal of %d hundredths travels as its shortest two’s complement', (unscaled, base64) => {
  expect(decimalBase64(unscaled)).toBe(base64)
})
