import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonScanner } from '../../schemas/decode/json-scanner.ts'
import { jsonTree } from '../support/json-tree.ts'

const json = new JsonScanner()

function isParsable(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** `JSON.parse` takes these two, we do not. */
const STRICTER = ['DUPLICATE_MEMBER', 'TOO_DEEP']

describe('the scanner and JSON.parse', () => {
  test('make the same of every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(json.scan(Buffer.from(text))).toBeNull()
        expect(jsonTree(json)).toEqual(JSON.parse(text))
      }),
      { numRuns: 300 },
    )
  })

  test('refuse the same of all texts that are nearly JSON', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\u0e-+.1tn \u0007é')), {
      maxLength: 3,
    })
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), edits, (value, changes) => {
        let text = JSON.stringify(value)
        for (const [at, put] of changes) {
          const i = at % (text.length + 1)
          text = text.slice(0, i) + put + text.slice(i + 1)
        }
        fc.pre(text.isWellFormed())
        const fault = json.scan(Buffer.from(text))
        if (fault !== null && STRICTER.includes(fault)) return
        // A lone surrogate as an escape is text to JSON.parse; it cannot be stored as UTF-8.
        if (fault !== null && isParsable(text))
          expect(JSON.stringify(JSON.parse(text))).toMatch(/\\ud[89a-f]/)
        else expect(fault === null).toBe(isParsable(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('take any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const fault = json.scan(Buffer.from(bytes))
        if (fault === null) expect(isParsable(Buffer.from(bytes).toString())).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})
