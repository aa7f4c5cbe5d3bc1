import { describe, expect, test } from 'vitest'
import type { DeletionVectorDescriptor } from '../../../../writers/delta/dv-descriptor.ts'
import { RowSet } from '../../../../writers/delta/row-set.ts'
import { HeldVectors } from '../../../../writers/table/held-vectors.ts'

function vector(name: string, offset = 1): DeletionVectorDescriptor {
  return { storageType: 'u', pathOrInlineDv: name, offset, sizeInBytes: 40, cardinality: 1 }
}

/** Takes 8 bytes of memory. */
const rows = () => RowSet.of([7])

describe('deletion vectors in memory', () => {
  test('are one a data file: the one that was written last', () => {
    const held = new HeldVectors()
    const newer = rows()
    held.set('a', vector('first'), rows())
    held.set('a', vector('second'), newer)
    expect(held.get('a', vector('second'))).toBe(newer)
    expect(held.get('a', vector('first'))).toBeNull()
  })

  test('are told apart by their place in a file of vectors', () => {
    const held = new HeldVectors()
    held.set('a', vector('file', 1), rows())
    expect(held.get('a', vector('file', 50))).toBeNull()
    expect(held.get('b', vector('file', 1))).toBeNull()
  })

  test('have a ceiling, and those that nobody asks for go first', () => {
    const held = new HeldVectors(16)
    held.set('a', vector('a'), rows())
    held.set('b', vector('b'), rows())
    held.get('a', vector('a'))
    held.set('c', vector('c'), rows())
    const isHeld = (path: string) => held.get(path, vector(path)) !== null
    expect(['a', 'b', 'c'].map(isHeld)).toEqual([true, false, true])
  })

  test('above the ceiling alone are held nevertheless: the next commit asks for it', () => {
    const held = new HeldVectors(4)
    held.set('a', vector('a'), rows())
    expect(held.get('a', vector('a'))).not.toBeNull()
  })

  test('of files that are gone are let go, and make room', () => {
    const held = new HeldVectors(16)
    held.set('a', vector('a'), rows())
    held.set('b', vector('b'), rows())
    held.retain((path) => path === 'a')
    expect(held.get('b', vector('b'))).toBeNull()
    held.set('c', vector('c'), rows())
    expect(held.get('a', vector('a'))).not.toBeNull()
  })
})
