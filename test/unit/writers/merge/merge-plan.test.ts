import { describe, expect, test } from 'vitest'
import {
  BACKGROUND_GOAL,
  type MergeCandidate,
  OPTIMIZE_GOAL,
  planMerge,
  TARGET_BYTES,
} from '../../../../writers/merge/merge-plan.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'

const MB = 1024 * 1024

function candidate(path: string, parts: Partial<MergeCandidate> = {}): MergeCandidate {
  return { path, partition: '', sizeBytes: 5000, rows: 100, deletedRows: 0, vectorBytesWritten: 0, ...parts }
}

function candidates(count: number, parts: Partial<MergeCandidate> = {}, name = 'f'): MergeCandidate[] {
  return Array.from({ length: count }, (_, i) => candidate(`${name}${i}`, parts))
}

describe('what is merged', () => {
  test('small files join when there are eight of a tier, not before', () => {
    expect(planMerge(candidates(7), BACKGROUND_GOAL)).toBeNull()
    expect(planMerge(candidates(8), BACKGROUND_GOAL)).toHaveLength(8)
  })

  test('a merge takes the smaller files of its partition with it', () => {
    const files = [...candidates(8, { sizeBytes: 100_000 }, 'large'), ...candidates(3, {}, 'small')]
    expect(planMerge(files, BACKGROUND_GOAL)).toHaveLength(11)
  })

  test('files without a live row are dropped together, from whatever partition, or at once when one is large', () => {
    const dead = { deletedRows: 100 }
    const few = [...candidates(7, dead, 'dead'), ...candidates(7)]
    expect(planMerge(few, BACKGROUND_GOAL)).toBeNull()
    const eight = [...few, candidate('other', { ...dead, partition: 'b' })]
    expect(planMerge(eight, BACKGROUND_GOAL)).toEqual([
      ...candidates(7, dead, 'dead').map((f) => f.path),
      'other',
    ])
    expect(
      planMerge([candidate('large', { ...dead, sizeBytes: 2 * MB }), ...few], BACKGROUND_GOAL),
    ).toHaveLength(8)
    expect(planMerge([candidate('dead', dead)], OPTIMIZE_GOAL)).toEqual(['dead'])
  })

  test('files of different partitions never meet', () => {
    const files = [...candidates(7, { partition: 'a' }, 'a'), ...candidates(7, { partition: 'b' }, 'b')]
    expect(planMerge(files, BACKGROUND_GOAL)).toBeNull()
  })

  test('partitions with a few small files each are joined when all together have too many', () => {
    const files = Array.from({ length: 100 }, (_, i) =>
      candidates(3, { partition: `p${i}` }, `p${i}-`),
    ).flat()
    expect(planMerge(files, BACKGROUND_GOAL)).toHaveLength(3)
  })

  test('a large file is written anew when too much of it is deleted', () => {
    const file = { sizeBytes: 100 * MB, rows: 1000 }
    expect(planMerge([candidate('f', { ...file, deletedRows: 200 })], BACKGROUND_GOAL)).toBeNull()
    expect(planMerge([candidate('f', { ...file, deletedRows: 201 })], BACKGROUND_GOAL)).toEqual(['f'])
  })

  test('a large file is written anew when its deletion vectors have cost as much', () => {
    const file = { sizeBytes: 100 * MB, rows: 1000, deletedRows: 10 }
    expect(planMerge([candidate('f', { ...file, vectorBytesWritten: 100 * MB })], BACKGROUND_GOAL)).toBeNull()
    expect(planMerge([candidate('f', { ...file, vectorBytesWritten: 101 * MB })], BACKGROUND_GOAL)).toEqual([
      'f',
    ])
  })

  test('a merged file does not outgrow the target', () => {
    const files = candidates(9, { sizeBytes: 30 * MB })
    expect(planMerge(files, BACKGROUND_GOAL)).toHaveLength(Math.floor(TARGET_BYTES / (30 * MB)))
  })

  test('of several due merges the smallest comes first', () => {
    const files = [
      ...candidates(8, { partition: 'a', sizeBytes: 50_000 }, 'a'),
      ...candidates(8, { partition: 'b' }, 'b'),
    ]
    expect(planMerge(files, BACKGROUND_GOAL)!.every((path) => path.startsWith('b'))).toBe(true)
  })

  test('a person who asks gets one file of all small ones, and none that is written twice', () => {
    const files = [
      candidate('a'),
      candidate('b', { sizeBytes: 3 * MB }),
      candidate('c', { sizeBytes: 100 * MB }),
    ]
    expect(planMerge(files, OPTIMIZE_GOAL)).toEqual(['b', 'a'])
    expect(planMerge([candidate('ab'), candidate('c', { sizeBytes: 100 * MB })], OPTIMIZE_GOAL)).toBeNull()
  })
})

interface ModelFile {
  bytes: number
  rows: number
  deleted: number
  vectorBytesWritten: number
}

const ROW_BYTES = 60
const FILE_BYTES = 3000

/** A table in numbers: commits of new rows that replace old ones at random, and the merges that are due after each. */
class ModelTable {
  readonly files = new Map<string, ModelFile>()
  readonly random = new SeededRandom(7)
  writtenBytes = 0
  mergedBytes = 0
  vectorBytes = 0
  filesMax = 0
  #names = 0

  add(rows: number): void {
    const bytes = FILE_BYTES + rows * ROW_BYTES
    this.files.set(`f${++this.#names}`, { bytes, rows, deleted: 0, vectorBytesWritten: 0 })
  }

  commit(rows: number, replaced: number): void {
    const touched = new Set<string>()
    for (let i = 0; i < replaced; i++) touched.add(this.#deleteOne())
    for (const path of touched) {
      const file = this.files.get(path)!
      if (file.deleted === file.rows) this.files.delete(path)
      else file.vectorBytesWritten += this.#noteVector(40 + Math.min(2 * file.deleted, file.rows / 8))
    }
    this.add(rows)
    this.writtenBytes += FILE_BYTES + rows * ROW_BYTES
    this.#merge()
    this.filesMax = Math.max(this.filesMax, this.files.size)
  }

  get liveRows(): number {
    let rows = 0
    for (const file of this.files.values()) rows += file.rows - file.deleted
    return rows
  }

  #noteVector(bytes: number): number {
    this.vectorBytes += bytes
    return bytes
  }

  #deleteOne(): string {
    let at = this.random.below(this.liveRows)
    for (const [path, file] of this.files) {
      at -= file.rows - file.deleted
      if (at >= 0) continue
      file.deleted++
      return path
    }
    throw new TypeError('there is no live row')
  }

  #merge(): void {
    for (;;) {
      const files = [...this.files].map(([path, file]) => ({
        ...{ path, partition: '', sizeBytes: file.bytes, rows: file.rows },
        ...{ deletedRows: file.deleted, vectorBytesWritten: file.vectorBytesWritten },
      }))
      const paths = planMerge(files, BACKGROUND_GOAL)
      if (paths === null) return
      let rows = 0
      for (const path of paths) {
        const file = this.files.get(path)!
        rows += file.rows - file.deleted
        this.files.delete(path)
      }
      this.mergedBytes += FILE_BYTES + rows * ROW_BYTES
      this.add(rows)
    }
  }
}

describe('growth, thousands of commits', () => {
  test('an upserted table of a million rows stays at few files, and its merges cost no more than tiers and vectors account for', () => {
    const table = new ModelTable()
    table.add(1_000_000)
    const filesAt: number[] = []
    for (let i = 0; i < 4000; i++) {
      table.commit(100, 90)
      if (i % 1000 === 999) filesAt.push(table.filesMax)
    }
    expect(table.filesMax).toBeLessThan(45)
    expect(filesAt.at(-1)! - filesAt[1]!).toBeLessThan(10)
    expect(table.mergedBytes).toBeLessThan(4 * table.writtenBytes + table.vectorBytes)
  })

  test('a small table that is replaced again and again stays at few files', () => {
    const table = new ModelTable()
    table.add(2000)
    for (let i = 0; i < 3000; i++) table.commit(100, 100)
    expect(table.filesMax).toBeLessThan(30)
    expect(table.mergedBytes / table.writtenBytes).toBeLessThan(6)
  })

  test('a table that only grows has a full file for each half a target, and few others', () => {
    const table = new ModelTable()
    for (let i = 0; i < 5000; i++) table.commit(5000, 0)
    const bytes = table.liveRows * ROW_BYTES
    expect(table.filesMax).toBeLessThan(45 + bytes / (TARGET_BYTES / 2))
    expect(table.mergedBytes / table.writtenBytes).toBeLessThan(5)
  })
})
