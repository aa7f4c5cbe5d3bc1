import { describe, expect, test } from 'vitest'
import { crc32 } from '../../../../writers/delta/crc32.ts'
import {
  deletionVectorPath,
  describeVector,
  encodeDeletionVectorFile,
  readDeletionVector,
} from '../../../../writers/delta/deletion-vector.ts'
import type { DeletionVectorDescriptor } from '../../../../writers/delta/dv-descriptor.ts'
import { dvUniqueId } from '../../../../writers/delta/dv-descriptor.ts'
import { encodeRowSet } from '../../../../writers/delta/roaring-format.ts'
import { RowSet } from '../../../../writers/delta/row-set.ts'
import { encodeZ85 } from '../../../../writers/delta/z85.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const UUID = 'd2c639aa-8816-431a-aaf6-d3fe2512ff61'
const FILE = `t/deletion_vector_${UUID}.bin`

function storedVectors(sets: readonly RowSet[]): {
  store: MemoryStore
  descriptors: DeletionVectorDescriptor[]
} {
  const store = new MemoryStore()
  const { bytes, places } = encodeDeletionVectorFile(sets)
  store.seed(FILE, bytes)
  return { store, descriptors: places.map((place) => describeVector(UUID, place)) }
}

describe('deletion vectors', () => {
  test('several vectors of one file are read back each by its own place', async () => {
    const sets = [RowSet.of([3, 5, 7]), RowSet.of([0]), RowSet.of([65_535, 65_536, 200_000])]
    const { store, descriptors } = storedVectors(sets)
    for (const [at, descriptor] of descriptors.entries()) {
      expect([...(await readDeletionVector(store, 't', descriptor))]).toEqual([...sets[at]!])
    }
    expect(descriptors.map(({ offset }) => offset)).toEqual([1, 1 + 38 + 8, 1 + 38 + 8 + 34 + 8])
  })

  test('the id of a vector holds its place in the file only when there is one', () => {
    expect(dvUniqueId(undefined)).toBeUndefined()
    expect(dvUniqueId(describeVector(UUID, { offset: 4, sizeInBytes: 9, cardinality: 1 }))).toBe(
      'u^-aqEH.-t@S}K{vb[*k^@4',
    )
    expect(dvUniqueId({ storageType: 'i', pathOrInlineDv: 'abc', sizeInBytes: 3, cardinality: 1 })).toBe(
      'iabc',
    )
  })

  test('a prefix before the 20 digits is a directory under the root of the table', () => {
    const store = new MemoryStore()
    const descriptor: DeletionVectorDescriptor = {
      storageType: 'u',
      pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
      offset: 4,
      sizeInBytes: 40,
      cardinality: 6,
    }
    expect(deletionVectorPath(store, 't', descriptor)).toBe(`t/ab/deletion_vector_${UUID}.bin`)
    expect(deletionVectorPath(store, '', descriptor)).toBe(`ab/deletion_vector_${UUID}.bin`)
  })

  test('a vector by absolute path is read where the path points into the store', async () => {
    const { store, descriptors } = storedVectors([RowSet.of([1])])
    const absolute = {
      ...descriptors[0]!,
      storageType: 'p' as const,
      pathOrInlineDv: `memory://lake/${FILE}`,
    }
    expect([...(await readDeletionVector(store, 'other', absolute))]).toEqual([1])
    await expect(
      readDeletionVector(store, 't', { ...absolute, pathOrInlineDv: 's3://elsewhere/x.bin' }),
    ).rejects.toMatchObject({ code: 'E_FILE_PATH', remedy: 'stop-table' })
  })

  test('an inline vector is cut to its size, whatever pads it', async () => {
    const bitmap = encodeRowSet(RowSet.of([3, 5, 7]))
    const padded = new Uint8Array(Math.ceil(bitmap.length / 4) * 4)
    padded.set(bitmap)
    const rows = await readDeletionVector(new MemoryStore(), 't', {
      storageType: 'i',
      pathOrInlineDv: encodeZ85(padded),
      sizeInBytes: bitmap.length,
      cardinality: 3,
    })
    expect([...rows]).toEqual([3, 5, 7])
  })

  test.each([
    ['a changed bitmap', (bytes: Uint8Array) => bytes.with(20, bytes[20]! ^ 1)],
    ['a changed checksum', (bytes: Uint8Array) => bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1)],
    ['a changed size', (bytes: Uint8Array) => bytes.with(4, bytes[4]! ^ 1)],
    ['a cut file', (bytes: Uint8Array) => bytes.slice(0, -1)],
  ])('%s stops the table', async (_, damage) => {
    const { store, descriptors } = storedVectors([RowSet.of([3, 5, 7])])
    store.seed(FILE, damage(store.objects.get(FILE)!.bytes))
    await expect(readDeletionVector(store, 't', descriptors[0]!)).rejects.toMatchObject({
      code: 'E_DELETION_VECTOR',
      remedy: 'stop-table',
    })
  })

  test('a cardinality that differs from the bitmap stops the table, since readers count by it', async () => {
    const { store, descriptors } = storedVectors([RowSet.of([3, 5, 7])])
    await expect(readDeletionVector(store, 't', { ...descriptors[0]!, cardinality: 4 })).rejects.toThrow(
      'holds 3 rows where the log says 4',
    )
  })

  test('a missing file stops the table and is named', async () => {
    const { descriptors } = storedVectors([RowSet.of([3])])
    await expect(readDeletionVector(new MemoryStore(), 't', descriptors[0]!)).rejects.toThrow(
      `${FILE} is missing`,
    )
  })

  test('an empty vector is refused: it would say nothing and cost a file', () => {
    expect(() => encodeDeletionVectorFile([new RowSet()])).toThrow('empty deletion vector')
  })

  test('the checksum is that of zlib', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  })
})
